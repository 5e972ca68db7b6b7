/**
 * The functions at which a need that cannot be followed could physically end. A function counts unless it is
 * proven that it cannot be the end.
 */
import type { PciAddress } from '../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../pci/device.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'
import { functionsWithDisks, type Blocks } from './disks/blocks.ts'

/** Functions with a disk, and functions that may have one. */
export function couldCarryDisks(devices: readonly PciDevice[], blocks: Blocks): PciAddress[] {
  const shown = functionsWithDisks(blocks)
  // If the place of every block device is known, a controller without one has no disk.
  const areListed = blocks.areAllPlaced && blocks.byName.size > 0
  // The controllers of a multipath namespace are listed in another folder, which may be missing.
  const hasMultipath = [...blocks.byName.values()].some(
    ({ place }) => place?.includes('/nvme-subsystem/') === true,
  )
  const could = (device: PciDevice): boolean => {
    if (shown.has(device.address) || (device.disks?.length ?? 0) > 0) return true
    if (!isHeldOrUnknown(device)) return false
    return (hasMultipath && deviceClass(device) === 'nvme') || (!areListed && couldDriveDisks(device))
  }
  return devices.filter(could).map(({ address }) => address)
}

/**
 * Disks are attached to storage and NVMe controllers, USB, FireWire (0c00), Fibre Channel (0c04), SD card
 * readers (0805, and ff00 for those without a class of their own) and virtio (1af4).
 */
function couldDriveDisks({ classCode, vendorId }: PciDevice): boolean {
  return classCode === undefined || vendorId === '1af4' || /^(?:01|0c00|0c03|0c04|0805|ff00)/.test(classCode)
}

/** The host sees no disk and no port of a function that has no driver or is held by VFIO. */
function isHeldOrUnknown({ driver }: PciDevice): boolean {
  return driver !== null && !isVfioDriver(driver) && driver !== 'pci-stub'
}
