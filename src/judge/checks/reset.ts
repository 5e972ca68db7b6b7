/** Can the device be brought back to a known state between guests. Without a reset it may work once per host boot. */
import { isBridge } from '../../pci/device.ts'
import type { Check } from '../check.ts'

export const checkReset: Check = (device) => {
  if (isBridge(device) || device.resetMethods === undefined || device.resetMethods.length > 0) return []
  return [
    {
      code: 'no-reset',
      severity: 'warning',
      message: `${device.address} has no reset method: its state leaks from one start of a VM to the next`,
      help: 'it may work only once per start of the host; try it before relying on it',
      about: [device.address],
    },
  ]
}
