/** Names of VMs on the command line: one that nobody knows is a slip of the person, whatever else is named beside it. */
import { journalFolder, readJournals } from '../apply/journal.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { UsageError } from '../base/errors.ts'
import { runningVms } from '../engines/qemu/qemu.ts'
import type { Context } from './context.ts'

/** Where `known` cannot be told, nothing is refused here. */
export function refuseUnknownVms(named: readonly string[], known: readonly string[] | undefined): void {
  const unknown = named.find((name) => known?.includes(name) === false)
  if (known === undefined || unknown === undefined) return
  const near = didYouMean(unknown, known)
  const all = `VMs are: ${known.join(', ') || 'none'}`
  throw new UsageError(`there is no VM ${unknown}`, near === undefined ? all : `did you mean ${near}? ${all}`)
}

/**
 * Those that run, and those of every plan that was applied: one that was planned may be down, and one that runs may be planned no
 * more. Undefined where the journals cannot be read.
 */
export function knownVms({ system }: Pick<Context, 'system'>): string[] | undefined {
  const folder = system.list(journalFolder)
  if (!folder.ok && folder.reason !== 'absent') return undefined
  const planned = readJournals(system).flatMap((read) => (read.ok ? read.journal.record.startOrder : []))
  return [...new Set([...runningVms(system).map(({ name }) => name), ...planned])]
}
