/** Writes one kernel attribute and reads it again; an attribute of a device only after the device's identity was checked. */
import { AppError } from '../base/errors.ts'
import { setsFunctionCount, type Step } from './step.ts'
import type { System } from '../machine/system.ts'
import { refuseOther } from './check-identity.ts'
import { findVfioUse } from './perform-driver.ts'
import { functionsOf } from './read-functions.ts'
import { readStanding } from './read-state.ts'

/** Making 63 virtual functions, or zeroing some hundred gigabytes of pages, takes seconds. */
const attributeSeconds = 120

export async function performAttribute(system: System, step: Extract<Step, { kind: 'sysfs' }>): Promise<void> {
  if (step.of) refuseOther(system, step.of.address, step.of.identity)
  const holders = findFunctionHolders(system, step)
  if (holders.length > 0)
    throw new AppError(holders.join('\n'), { help: 'stop the virtual machines first: handover down' })
  await write(system, step)
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
      help: step.of
        ? 'the card or its driver has room for no more: ask for fewer'
        : 'free memory lies in pieces that are too small; try again soon after a boot, or with fewer',
    })
  throw new AppError(
    `${step.path} is not as written${'difference' in standing ? `: ${standing.difference}` : ' when read again'}`,
  )
}

async function write(system: System, step: Extract<Step, { kind: 'sysfs' }>): Promise<void> {
  if (!step.of && !step.partial) return system.writeAttribute(step.path, step.after)
  try {
    await system.writeAttributeWithin(step.path, step.after, attributeSeconds)
  } catch (error) {
    if (!(error instanceof AppError) || !setsFunctionCount(step)) throw error
    throw new AppError(error.message, {
      help: `the driver's reason is in the kernel log: dmesg | grep ${step.of?.address ?? ''}; without room for their memory or bus numbers, switch on SR-IOV and "Above 4G Decoding" in the firmware setup`,
      cause: error,
    })
  }
}

/**
 * Who uses virtual functions of this card: virtual machines, or the host through a driver of its own. Changing their number
 * removes them all, and the kernel would wait inside that write until the last of them is let go.
 */
export function findFunctionHolders(system: System, step: Extract<Step, { kind: 'sysfs' }>): string[] {
  if (step.of === undefined || !setsFunctionCount(step)) return []
  return functionsOf(system, step.of.address).flatMap(({ address }) => {
    const use = findVfioUse(system, address)
    if (use !== undefined) return [use]
    const bound = system.readLink(`/sys/bus/pci/devices/${address}/driver`)
    const driver = bound.ok ? bound.value.split('/').at(-1) : undefined
    if (driver === undefined || driver === 'vfio-pci') return []
    return [
      `${address} has driver ${driver}, so the host may use it: echo ${address} > /sys/bus/pci/drivers/${driver}/unbind`,
    ]
  })
}
