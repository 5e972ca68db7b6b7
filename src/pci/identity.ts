/**
 * What distinguishes a device from every other: its place (without bus numbers) and every serial it has.
 * Group numbers, bus numbers and interface names are never part of an identity: they change when a card is
 * added.
 */

import { hex } from './hex.ts'
import { addressParts, type PciAddress } from './address.ts'
import type { PciDevice } from './device.ts'

export type Identity = {
  /**
   * `0000:00/1c.0/00.0`: root bus, then slot.function at each step down. Absent, as the ids, where the input
   * does not state it.
   */
  readonly path?: string
  readonly vendorId?: string
  readonly deviceId?: string
  readonly subsystemVendorId?: string
  readonly subsystemId?: string
  readonly classCode?: string
  readonly revision?: string
  readonly deviceSerialNumber?: string
  /** Permanent MACs of the function's interfaces, sorted. */
  readonly macs?: readonly string[]
  readonly nvmeSerial?: string
  readonly sasAddress?: string
  readonly vpdSerial?: string
  /**
   * Serials of the disks behind a controller, sorted. They can be swapped by hand, so they support but never
   * decide alone.
   */
  readonly diskSerials?: readonly string[]
  readonly physicalSlot?: string
}

/** With a place and ids: enough to find the device again. */
export type WholeIdentity = Identity & {
  readonly path: string
  readonly vendorId: string
  readonly deviceId: string
}

export function isWhole(identity: Identity): identity is WholeIdentity {
  return identity.path !== undefined && identity.vendorId !== undefined && identity.deviceId !== undefined
}

export type DeviceIndex = ReadonlyMap<PciAddress, PciDevice>

export function indexDevices(devices: readonly PciDevice[]): DeviceIndex {
  return new Map(devices.map((device) => [device.address, device]))
}

/**
 * The place without bus numbers: what the reader states, else walked up through the bridges it knows to bus
 * 0, which always is a root bus. A walk that ends at another bus (a listing without topology) has met no
 * root: then the place is not known.
 */
export function pathOf(device: PciDevice, devices: DeviceIndex): string | undefined {
  if (device.path !== undefined) return device.path
  const steps: string[] = []
  let here: PciDevice | undefined = device
  let root: string | undefined
  // Bridges nest at most 255 deep; a listing whose parents go round ends here too.
  for (let depth = 0; here !== undefined && depth < 256; depth++) {
    const { domain, bus, slot, function: fn } = addressParts(here.address)
    steps.unshift(`${hex(slot, 2)}.${fn}`)
    root = bus === 0 ? `${hex(domain, 4)}:00` : undefined
    here = here.parent === undefined ? undefined : devices.get(here.parent)
  }
  return root === undefined ? undefined : [root, ...steps].join('/')
}

/** Everything a device states about who it is, and nothing that it does not. */
export function identityOf(device: PciDevice, devices: DeviceIndex): Identity {
  // A virtual function's MAC is set by its card's driver or made up at random: it does not identify the
  // device.
  const ports = device.physFn === undefined ? (device.networkInterfaces ?? []) : []
  const macs = present(ports.map((n) => n.permanentMac ?? n.mac))
  const diskSerials = present((device.disks ?? []).map((disk) => disk.serial))
  const path = pathOf(device, devices)
  return {
    ...(path === undefined ? {} : { path }),
    ...pick(device, [
      'vendorId',
      'deviceId',
      'subsystemVendorId',
      'subsystemId',
      'classCode',
      'revision',
      'deviceSerialNumber',
    ]),
    ...(macs.length > 0 ? { macs } : {}),
    ...pick(device, ['nvmeSerial', 'sasAddress', 'vpdSerial']),
    ...(diskSerials.length > 0 ? { diskSerials } : {}),
    ...pick(device, ['physicalSlot']),
  }
}

function present(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined && value !== ''))].map(String).toSorted()
}

function pick<K extends keyof PciDevice & keyof Identity>(
  device: PciDevice,
  keys: readonly K[],
): Pick<Identity, K> {
  return Object.fromEntries(
    keys.flatMap((key) => (device[key] === undefined ? [] : [[key, device[key]]])),
  ) as Pick<Identity, K>
}

/**
 * The place of a virtual function: that of the function that makes it, and its number there
 * (`0000:00/03.0/00.0/vf1`).
 */
export function virtualPlace(physical: string, number: number): string {
  return `${physical}/vf${number}`
}

/**
 * The number of the virtual function at this place; undefined when the place is that of another kind of
 * function.
 */
export function virtualNumber(path: string | undefined): number | undefined {
  const number = /\/vf(\d{1,5})$/.exec(path ?? '')?.[1]
  return number === undefined ? undefined : Number(number)
}
