/**
 * One step onto the machine: the only switch in the program that changes the host's configuration.
 */
import { formatCommand } from '../boot/shell-quote.ts'
import { AppError, CommandError } from '../base/errors.ts'
import { settingWords } from '../pci/virtual-functions.ts'
import type { Step } from './step.ts'
import type { System } from '../machine/system.ts'
import type { NeedsCheck } from './check-needs.ts'
import { performAttribute } from './perform-attribute.ts'
import { performDriver } from './perform-driver.ts'
import { performFile } from './perform-file.ts'
import { performFunction } from './perform-function.ts'
import { readStanding } from './read-state.ts'

/** Regenerating every initramfs on a slow disk takes minutes; a generator that hangs must end some time. */
const commandSeconds = 900

export type Limits = { readonly commandSeconds?: number }

/** `copy`: what a file step finds must be these bytes. `mayLeave` throws for a device that the host needs now. */
export type Performing = Limits & { readonly copy?: Uint8Array; readonly mayLeave?: NeedsCheck }

export async function performStep(system: System, step: Step, how: Performing = {}): Promise<void> {
  switch (step.kind) {
    case 'file':
      performFile(system, step, how.copy)
      break
    case 'driver':
      return performDriver(system, step, how.mayLeave)
    case 'sysfs':
      return performAttribute(system, step)
    case 'vf':
      return performFunction(system, step)
    case 'command':
      return performCommand(system, step.argv, how.commandSeconds ?? commandSeconds)
  }
  const standing = readStanding(system, step)
  if (standing.kind !== 'after')
    throw new AppError(
      `${step.path} is not as written${'difference' in standing ? `: ${standing.difference}` : ' when read again'}`,
    )
}

/** A generator is tied to our life: one that outlives a killed apply would write on while a rollback restores. */
async function performCommand(system: System, argv: readonly string[], seconds: number): Promise<void> {
  const running = await system.start(argv)
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), seconds * 1000)
  })
  const end = await Promise.race([running.ended, patience])
  clearTimeout(timer)
  if (end === undefined) {
    await Promise.race([running.stop(), system.sleep(5000)])
    throw new AppError(`${formatCommand(argv)} did not end within ${seconds} seconds`)
  }
  if (end.status !== 0) throw new CommandError(argv, end.status, running.tail().slice(-2048))
}

/** One line for people: what the step does to which thing. */
export function formatStep(step: Step): string {
  switch (step.kind) {
    case 'file':
      if (step.before === null) return `create ${step.path}`
      return step.after === null ? `remove ${step.path}` : `edit ${step.path}`
    case 'driver':
      return `${step.address}: ${step.before.driver ?? 'no driver'} → ${step.after.driver ?? 'no driver'}`
    case 'sysfs':
      return `${step.path}: ${step.before.trim()} → ${step.after.trim()}`
    case 'vf':
      return `${step.address} vf ${step.number}: ${settingWords(step.before).join(' ')} → ${settingWords(step.after).join(' ')}`
    case 'command':
      return `run ${formatCommand(step.argv)}`
  }
}
