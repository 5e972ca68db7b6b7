/** Writes one kernel attribute and reads it again; an attribute of a device only after the device's identity was checked. */
import { AppError } from '../errors.ts'
import type { Step } from '../plan/step.ts'
import type { System } from '../system/system.ts'
import { checkIdentity } from './check-identity.ts'
import { readStanding } from './read-state.ts'

/** Making 63 virtual functions, or zeroing some hundred gigabytes of pages, takes seconds. */
const attributeSeconds = 120

export async function performAttribute(system: System, step: Extract<Step, { kind: 'sysfs' }>): Promise<void> {
  if (step.of) {
    const { differences } = checkIdentity(system, step.of.address, step.of.identity)
    if (differences.length > 0)
      throw new AppError(`${step.of.address} is not the device that was meant: ${differences.join('; ')}`, {
        help: `nothing was written; look at what sits there with: handover inspect ${step.of.address}`,
      })
  }
  if (step.of || step.partial) await system.writeAttributeWithin(step.path, step.after, attributeSeconds)
  else system.writeAttribute(step.path, step.after)
  const standing = readStanding(system, step)
  if (standing.kind === 'after') return
  const text = system.readText(step.path, 65_536)
  const is = text.ok ? text.value.trim() : 'unreadable'
  if (step.partial && Number(step.after) < Number(step.before))
    throw new AppError(`${step.path} is still ${is}, not ${step.after.trim()}: pages are in use`, {
      help: 'stop the virtual machines first: handover down',
    })
  if (step.partial)
    throw new AppError(`${step.path}: the kernel gave ${is} of ${step.after.trim()}`, {
      help: 'free memory lies in pieces that are too small; try again soon after a boot, or with fewer',
    })
  throw new AppError(
    `${step.path} is not as written${'difference' in standing ? `: ${standing.difference}` : ' when read again'}`,
  )
}
