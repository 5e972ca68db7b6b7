import type { System } from '../machine/system.ts'
import { readBootId } from './boot-id.ts'
import { checkIdentity } from './check-identity.ts'
import type { DeviceOfStep, Undone } from './kind.ts'

/**
 * The answer of an undo when another device, or none, answers where this one was; undefined when it is there.
 */
export function findElsewhere(
  system: System,
  bootId: string,
  { address, identity }: DeviceOfStep,
): Undone | undefined {
  const { differences } = checkIdentity(system, address, identity)
  if (differences.length === 0) return undefined
  // Overrides and attributes live in the kernel's memory: a reboot leaves nothing of ours on a device that
  // moved away.
  if (bootId !== readBootId(system))
    return {
      restored: true,
      note: `${address}: what was set ended with the reboot, the device is elsewhere now`,
    }
  return { restored: false, note: `${address}: ${differences.join('; ')}; nothing was changed there` }
}
