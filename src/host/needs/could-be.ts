/**
 * The functions at which a lost trail could physically end. Wider than the truth on purpose: what cannot be told apart from
 * an end is one.
 */
import type { PciAddress } from '../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../pci/device.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'

/** Functions that show a disk, and those of which it is not known whether they have one. */
export function couldCarryDisks(devices: readonly PciDevice[]): PciAddress[] {
  // Where any disk is shown, the list of disks was readable, and a controller without one has none.
  const areListed = devices.some(({ disks }) => disks !== undefined)
  return devices.filter((device) => couldHaveDisks(device, areListed)).map(({ address }) => address)
}

/** Functions that show a network interface, and those of which it is not known whether they have one. */
export function couldCarryNetwork(devices: readonly PciDevice[]): PciAddress[] {
  const areListed = devices.some(({ networkInterfaces }) => networkInterfaces !== undefined)
  return devices.filter((device) => couldHavePorts(device, areListed)).map(({ address }) => address)
}

function couldHaveDisks(device: PciDevice, areListed: boolean): boolean {
  if ((device.disks?.length ?? 0) > 0) return true
  return !areListed && isHeldOrUnknown(device) && ['storage', 'nvme'].includes(deviceClass(device))
}

function couldHavePorts(device: PciDevice, areListed: boolean): boolean {
  if ((device.networkInterfaces?.length ?? 0) > 0) return true
  return !areListed && isHeldOrUnknown(device) && deviceClass(device) === 'nic'
}

/** A function without a driver, or one that VFIO holds, shows the host no disk and no port. */
function isHeldOrUnknown({ driver }: PciDevice): boolean {
  return driver !== null && !isVfioDriver(driver) && driver !== 'pci-stub'
}
