/** Which devices of a host a selector means. Whether they may go is not asked here. */
import { isBridge, deviceClass, type PciDevice } from '../pci/device.ts'
import { pathOf, type DeviceIndex } from '../pci/identity.ts'
import type { DeviceSelector } from '../spec/spec.ts'
import type { Layout } from './cards.ts'

/** All devices for which every given member holds, in the host's order. `card` and `pair` tie roles together and choose nothing by themselves. */
export function findDevices(select: DeviceSelector, candidates: readonly PciDevice[], layout: Layout): PciDevice[] {
  return candidates.filter((device) => isMeant(select, device, layout))
}

function isMeant(select: DeviceSelector, device: PciDevice, layout: Layout): boolean {
  // A bridge is meant only when someone points at it, so that the answer can say why it cannot go.
  if (isBridge(device) && select.address !== device.address && select.path === undefined && select.ids === undefined)
    return false
  const same = (wanted: string | undefined, ...has: readonly (string | undefined)[]) =>
    wanted === undefined || has.some((value) => value !== undefined && plain(value) === plain(wanted))
  return (
    (select.class === undefined || select.class === deviceClass(device)) &&
    same(select.address, device.address) &&
    (select.ids === undefined || select.ids === `${device.vendorId ?? ''}:${device.deviceId ?? ''}`) &&
    same(select.mac, ...(device.networkInterfaces ?? []).flatMap((n) => [n.permanentMac, n.mac])) &&
    same(select.serial, device.deviceSerialNumber, device.vpdSerial, device.nvmeSerial, device.sasAddress) &&
    same(select.disk, device.nvmeSerial, ...(device.disks ?? []).flatMap((disk) => [disk.serial, disk.wwn])) &&
    (select.path === undefined || select.path === pathOf(device, layout.devices)) &&
    (select.physicalSlot === undefined || physicalSlotOf(device, layout.devices) === select.physicalSlot) &&
    (select.name === undefined || (device.name ?? '').toLowerCase().includes(select.name.toLowerCase())) &&
    (select.port === undefined || layout.portOf.get(device.address) === select.port) &&
    (select.numaNode === undefined || device.numaNode === select.numaNode)
  )
}

/** Serials are written with and without dashes, colons and upper case. */
function plain(text: string): string {
  return text.replaceAll(/[-:\s]/g, '').toLowerCase()
}

/** The socket the card sits in: stated for the function itself, or for the bridge of its card above it. */
export function physicalSlotOf(device: PciDevice, devices: DeviceIndex): string | undefined {
  let here: PciDevice | undefined = device
  for (let depth = 0; here !== undefined && depth < 256; depth++) {
    if (here.physicalSlot !== undefined) return here.physicalSlot
    here = here.parent === undefined ? undefined : devices.get(here.parent)
  }
  return undefined
}
