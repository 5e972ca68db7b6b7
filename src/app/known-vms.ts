/** Names of VMs that a person typed: a name that no VM has is a slip, whatever else is named beside it. */
import { journalFolder, readJournals } from '../apply/journal.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { AppError, UsageError } from '../base/errors.ts'
import type { VmRecord } from '../engines/engine.ts'
import { runningVms } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'

/** Where `known` is undefined, nothing is refused here. */
export function refuseUnknownVms(named: readonly string[], known: readonly string[] | undefined): void {
  const unknown = named.find((name) => known?.includes(name) === false)
  if (known === undefined || unknown === undefined) return
  const near = didYouMean(unknown, known)
  const all = `VMs are: ${known.join(', ') || 'none'}`
  throw new UsageError(`there is no VM ${unknown}`, near === undefined ? all : `did you mean ${near}? ${all}`)
}

/** All VMs that run; throws when one of those named does not run, or does not exist. */
export function requireRunning(system: System, named: readonly string[]): VmRecord[] {
  refuseUnknownVms(named, knownVms(system))
  const running = runningVms(system)
  const missing = named.find((name) => !running.some((vm) => vm.name === name))
  if (missing === undefined) return running
  throw new AppError(`${missing} does not run`, {
    help: `running: ${running.map((vm) => vm.name).join(', ') || 'none'}`,
  })
}

/**
 * Those that run, and those of every plan that was applied: one that was planned may be down, and one that
 * runs may be planned no more. Undefined where the journals cannot be read.
 */
export function knownVms(system: System): string[] | undefined {
  const folder = system.list(journalFolder)
  if (!folder.ok && folder.reason !== 'absent') return undefined
  const planned = readJournals(system).flatMap((read) => (read.ok ? read.journal.record.startOrder : []))
  return [...new Set([...runningVms(system).map(({ name }) => name), ...planned])]
}
