/**
 * The functions at which a lost trail could physically end. Wider than the truth on purpose: what cannot be
 * told apart from an end is one.
 */
import type { PciAddress } from '../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../pci/device.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'
import { functionsWithDisks, type Blocks } from './disks/blocks.ts'

/** Functions that show a disk, and those of which it is not known whether they have one. */
export function couldCarryDisks(devices: readonly PciDevice[], blocks: Blocks): PciAddress[] {
  const shown = functionsWithDisks(blocks)
  // Where every device is placed, a controller without a disk has none.
  const areListed = blocks.areAllPlaced && blocks.byName.size > 0
  // A namespace of multipath shows its controllers in another folder, which may be the one that is missing.
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
 * Disks hang on storage and NVMe controllers, USB, FireWire (0c00), Fibre Channel (0c04), SD card readers
 * (0805, and those that claim to be of no class) and virtio (1af4).
 */
function couldDriveDisks({ classCode, vendorId }: PciDevice): boolean {
  return classCode === undefined || vendorId === '1af4' || /^(?:01|0c00|0c03|0c04|0805|ff00)/.test(classCode)
}

/** A function without a driver, or one that VFIO holds, shows the host no disk and no port. */
function isHeldOrUnknown({ driver }: PciDevice): boolean {
  return driver !== null && !isVfioDriver(driver) && driver !== 'pci-stub'
}
