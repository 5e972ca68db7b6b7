import type { System } from '../machine/system.ts'
import { readBootId } from './boot-id.ts'
import { checkIdentity } from './check-identity.ts'
import type { DeviceOfStep, Undone } from './kind.ts'

/** The result of an undo when the recorded device is no longer at its address; undefined when it is there. */
export function findElsewhere(
  system: System,
  bootId: string,
  { address, identity }: DeviceOfStep,
): Undone | undefined {
  const { differences } = checkIdentity(system, address, identity)
  if (differences.length === 0) return undefined
  // The kernel keeps overrides and attributes in memory, so a reboot has cleared them.
  if (bootId !== readBootId(system))
    return {
      restored: true,
      note: `${address}: the reboot cleared the setting, and the device is no longer at this address`,
    }
  return { restored: false, note: `${address}: ${differences.join('; ')}; nothing was changed there` }
}
