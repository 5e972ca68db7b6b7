/**
 * Who leaves the host when a function of a group does, and who stays with it although it is in the group.
 * Bridges stay with `pcieport`, the board's own functions without a driver stay as they are, and what exists
 * only through another member of the group (a virtual function, a drive behind a VMD) ceases to exist when
 * that member goes.
 */
import { addressParts, type PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { standOf } from './chipset.ts'

/** `groupOf`: the number of the group that a function is in. */
export function staysBehind(
  device: PciDevice,
  groupOf: (address: PciAddress) => number | undefined,
): boolean {
  if (isBridge(device) || standOf(device) === 'idle' || isBehindVmd(device)) return true
  const { physFn } = device
  return physFn !== undefined && isSame(groupOf(physFn), groupOf(device.address))
}

/**
 * Behind an Intel Volume Management Device: its domains are numbered above ffff, which no firmware does
 * (`vmd_find_free_domain`, drivers/pci/controller/vmd.c), and such a function's DMA carries the number of the
 * VMD.
 */
export function isBehindVmd({ address }: PciDevice): boolean {
  return addressParts(address).domain > 0xffff
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && a === b
}
