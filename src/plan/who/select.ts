/** Which devices of a host a selector means. Whether they may go is not asked here. */
import { isBridge, deviceClass, type PciDevice } from '../../pci/device.ts'
import { pathOf, type DeviceIndex, virtualNumber } from '../../pci/identity.ts'
import type { DeviceSelector } from '../../spec/spec.ts'
import type { Layout } from './cards.ts'

/**
 * All devices for which every given member holds, in the host's order. `card` and `pair` tie roles together
 * and choose nothing by themselves.
 */
export function findDevices(
  select: DeviceSelector,
  candidates: readonly PciDevice[],
  layout: Layout,
): PciDevice[] {
  return candidates.filter((device) => isMeant(select, device, layout))
}

function isMeant(select: DeviceSelector, device: PciDevice, layout: Layout): boolean {
  // A bridge is meant only when someone points at it, so that the answer can say why it cannot go.
  if (
    isBridge(device) &&
    select.address !== device.address &&
    select.path === undefined &&
    select.ids === undefined
  )
    return false
  // Cheap and telling keys first: this is asked for every device and every role.
  if (select.class !== undefined && select.class !== deviceClass(device)) return false
  if (select.port !== undefined && layout.portOf.get(device.address) !== select.port) return false
  if (select.numaNode !== undefined && device.numaNode !== select.numaNode) return false
  if (select.address !== undefined && select.address !== device.address) return false
  if (select.ids !== undefined && select.ids !== `${device.vendorId ?? ''}:${device.deviceId ?? ''}`)
    return false
  if (select.name !== undefined && !(device.name ?? '').toLowerCase().includes(select.name.toLowerCase()))
    return false
  return (
    isMeantAsFunction(select, device, layout) &&
    isMeantBySerial(select, device) &&
    isMeantByPlace(select, device, layout)
  )
}

/**
 * What the spec makes under a word is given by that word, or to someone who points at it; never to "any
 * network port".
 */
function isMeantAsFunction(
  select: DeviceSelector,
  device: PciDevice,
  { devices, physicalOf }: Layout,
): boolean {
  if (select.virtualFunction === undefined) {
    if (
      physicalOf === undefined ||
      device.physFn === undefined ||
      ![...physicalOf.values()].includes(device.physFn)
    )
      return true
    return select.address !== undefined || select.path !== undefined
  }
  if (device.physFn === undefined || physicalOf?.get(select.virtualFunction) !== device.physFn) return false
  if (select.number === undefined || select.number === device.vfNumber) return true
  return virtualNumber(pathOf(device, devices)) === select.number
}

function isMeantBySerial(select: DeviceSelector, device: PciDevice): boolean {
  const { mac, serial, disk } = select
  if (
    mac !== undefined &&
    !hasText(
      mac,
      (device.networkInterfaces ?? []).flatMap((n) => [n.permanentMac, n.mac]),
    )
  )
    return false
  if (
    serial !== undefined &&
    !hasText(serial, [device.deviceSerialNumber, device.vpdSerial, device.nvmeSerial, device.sasAddress])
  )
    return false
  return (
    disk === undefined ||
    hasText(disk, [device.nvmeSerial, ...(device.disks ?? []).flatMap((d) => [d.serial, d.wwn])])
  )
}

function isMeantByPlace(select: DeviceSelector, device: PciDevice, { devices }: Layout): boolean {
  if (select.path !== undefined && select.path !== pathOf(device, devices)) return false
  return select.physicalSlot === undefined || physicalSlotOf(device, devices) === select.physicalSlot
}

function hasText(wanted: string, has: readonly (string | undefined)[]): boolean {
  const target = plain(wanted)
  return has.some((value) => value !== undefined && value.length >= target.length && plain(value) === target)
}

/** Serials are written with and without dashes, colons and upper case. */
function plain(text: string): string {
  return text.replaceAll(/[-:\s]/g, '').toLowerCase()
}

/** The socket the card sits in: stated for the function itself, or for the bridge of its card above it. */
function physicalSlotOf(device: PciDevice, devices: DeviceIndex): string | undefined {
  let here: PciDevice | undefined = device
  for (let depth = 0; here !== undefined && depth < 256; depth++) {
    if (here.physicalSlot !== undefined) return here.physicalSlot
    here = here.parent === undefined ? undefined : devices.get(here.parent)
  }
  return undefined
}
