/** Devices that vfio-pci itself refuses, because their isolation is known to be broken. */
import { vfioDeniedName } from '../../pci/quirks/vfio-quirks.ts'
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'

export const checkDenied: Check = (device) => {
  const name = vfioDeniedName(device)
  if (name === undefined) return nothing
  return [
    {
      code: 'driver-denied',
      severity: 'error',
      ...says(device.address, `is a ${name}, which vfio-pci refuses because a guest could break out of it`),
      help: 'choose another device',
      about: [device.address],
    },
  ]
}
