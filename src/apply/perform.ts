/**
 * One step onto the machine: the only switch in the program that changes the host's configuration.
 */
import { AppError, CommandError } from '../errors.ts'
import type { Step } from '../plan/step.ts'
import type { System } from '../system/system.ts'
import { performDriver } from './perform-driver.ts'
import { readStanding } from './read-state.ts'

/** Regenerating every initramfs on a slow disk takes minutes; a generator that hangs must end some time. */
const commandSeconds = 900

export async function performStep(system: System, step: Step): Promise<void> {
  switch (step.kind) {
    case 'file':
      if (step.after === null) system.remove(step.path)
      else {
        system.makeFolder(step.path.slice(0, step.path.lastIndexOf('/')) || '/')
        system.writeFile(step.path, step.after.text, { mode: step.after.mode })
      }
      break
    case 'driver':
      return performDriver(system, step)
    case 'sysfs':
      system.writeAttribute(step.path, step.after)
      break
    case 'command':
      return performCommand(system, step.argv)
  }
  const standing = readStanding(system, step)
  if (standing.kind !== 'after')
    throw new AppError(
      `${step.path} is not as written${'difference' in standing ? `: ${standing.difference}` : ' when read again'}`,
    )
}

async function performCommand(system: System, argv: readonly string[]): Promise<void> {
  const result = await system.exec(argv, { timeoutSeconds: commandSeconds })
  if (result.timedOut) throw new AppError(`${argv.join(' ')} did not end within ${commandSeconds} seconds`)
  if (result.status !== 0) throw new CommandError(argv, result.status, result.stderr.slice(-2048))
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
    case 'command':
      return `run ${step.argv.join(' ')}`
  }
}
