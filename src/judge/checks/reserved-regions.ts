/**
 * A `direct` region (RMRR, IVMD) is memory the firmware keeps using through the device: the kernel refuses the group.
 * While the IOMMU is off the group's regions cannot be read, and the firmware's table foretells them.
 */
import type { IommuGroup } from '../../host/host.ts'
import type { PciDevice } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import type { Reason } from '../types.ts'

export const checkReservedRegions: Check = (device, view) => {
  const group = view.groupOf(device)
  // Regions that were read are better evidence.
  if (group?.reservedRegions !== undefined) return refusalBy(group, device)
  if (isRelaxable(device)) return nothing
  const foretold = view.reservedMemory().get(device.address)?.[0]
  if (!foretold) return nothing
  return [
    {
      code: 'reserved-region',
      severity: 'warning',
      message: `${device.address}: the firmware's DMAR table demands direct access to memory ${foretold.start}–${foretold.end} for it, so the kernel will refuse it once the IOMMU is on`,
      help,
      about: [device.address],
    },
  ]
}

const help =
  'look in the firmware setup for shared memory, USB legacy support or management features of this device, and for a firmware update'

function refusalBy(group: IommuGroup, device: PciDevice): readonly Reason[] {
  const region = group.reservedRegions?.find(({ type }) => type === 'direct')
  if (region === undefined) return nothing
  return [
    {
      code: 'reserved-region',
      severity: 'error',
      message: `${device.address}: the firmware demands direct access to memory ${region.start}–${region.end} for group ${group.id}, and the kernel refuses such groups`,
      help,
      about: [device.address],
    },
  ]
}

/** The kernel relaxes the regions of USB and display (`device_rmrr_is_relaxable`, drivers/iommu/intel/iommu.c). */
function isRelaxable({ classCode = '' }: PciDevice): boolean {
  return classCode.startsWith('03') || classCode.startsWith('0c03')
}
