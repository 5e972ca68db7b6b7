/** A `direct` region (RMRR, IVMD) is memory the firmware keeps using through the device: the kernel refuses the group. */
import type { Check } from '../check.ts'

export const checkReservedRegions: Check = (device, view) => {
  const group = view.groupOf(device)
  const region = group?.reservedRegions?.find(({ type }) => type === 'direct')
  if (!group || !region) return []
  return [
    {
      code: 'reserved-region',
      severity: 'error',
      message: `${device.address}: the firmware demands direct access to memory ${region.start}–${region.end} for group ${group.id}, and the kernel refuses such groups`,
      help: 'look in the firmware setup for shared memory, USB legacy support or management features of this device, and for a firmware update',
      about: [device.address],
    },
  ]
}
