/**
 * The words that say who a device is, in lower case: every serial it has, and its place (the path of ports
 * from the root, without bus numbers). An address is no identity: the next card that is added may move it.
 */
import type { PciDevice } from '../pci/device.ts'

export function identityWords(device: PciDevice): string[] {
  const ports = (device.networkInterfaces ?? []).flatMap((port) => [port.permanentMac ?? port.mac])
  const disks = (device.disks ?? []).flatMap((disk) => [disk.serial, disk.wwn])
  const own = [device.deviceSerialNumber, device.nvmeSerial, device.vpdSerial, device.sasAddress, device.path]
  return [...own, ...ports, ...disks].flatMap((word) => (word ? [word.toLowerCase()] : []))
}
