/**
 * Where a function's folder is below /sys/devices, and what the way to it says of the function. The kernel's
 * link on the bus tells; but all functions of a bus have their folders in one, that of the bridge above
 * (`pci_setup_device`, drivers/pci/probe.c), so after the first of a bus the others are looked for beside it,
 * which saves a system call each.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { linkOf, textOf, type Reading } from './reading.ts'

export const devicesFolder = '/sys/bus/pci/devices'

export type DevicePlace = { readonly folder: string; readonly facts: Partial<PciDevice> }

/** What is known of the ways to functions while they are read. */
export type Places = {
  readonly trails: Trails
  /** The folder in which the functions of a bus (`0000:01`) have theirs. */
  readonly folderOfBus: Map<string, string>
}

export function noPlaces(): Places {
  return { trails: new Map(), folderOfBus: new Map() }
}

/**
 * The folder is the link itself where that leads nowhere that is known; its `uevent` was read to know that it
 * is there.
 */
export function findFolder(
  reading: Reading,
  address: PciAddress,
  places: Places,
): { readonly folder: string; readonly facts?: Partial<PciDevice>; readonly uevent: string | undefined } {
  const guess = placeBeside(address, places)
  const found = guess && textOf(reading, `${guess.folder}/uevent`)
  if (guess !== undefined && found !== undefined) return { ...guess, uevent: found }
  const place = placeByLink(reading, address, places)
  const folder = place?.folder ?? `${devicesFolder}/${address}`
  const uevent = folder === guess?.folder ? undefined : textOf(reading, `${folder}/uevent`)
  return { folder, ...(place && { facts: place.facts }), uevent }
}

/**
 * Where the function's folder is, if it is beside that of the first of its bus; nothing for that first one.
 */
export function placeBeside(address: PciAddress, places: Places): DevicePlace | undefined {
  const beside = places.folderOfBus.get(busOf(address))
  return beside === undefined ? undefined : placeBelow(beside, address, places)
}

/**
 * Where the function's folder is by the link on the bus, beside which the others of its bus are then looked
 * for.
 */
export function placeByLink(reading: Reading, address: PciAddress, places: Places): DevicePlace | undefined {
  const place = placeOf(address, linkOf(reading, `${devicesFolder}/${address}`), places)
  if (place) places.folderOfBus.set(busOf(address), place.folder.slice(0, -address.length - 1))
  return place
}

function busOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf(':'))
}

/**
 * Place without bus numbers, and the bridge above, from the link's own text:
 * `../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0` → path `0000:00/1c.0/00.0`, parent 0000:00:1c.0.
 * A second `pciDDDD:BB` on the way (VMD) starts a new root bus, so no parent is claimed across it.
 */
export function placeOf(
  address: PciAddress,
  link: string | undefined,
  places = noPlaces(),
): DevicePlace | undefined {
  const at = link?.indexOf('/devices/') ?? -1
  if (link === undefined || at < 0) return undefined
  const folder = `/sys${link.slice(at)}`
  return folder.endsWith(`/${address}`)
    ? placeBelow(folder.slice(0, -address.length - 1), address, places)
    : undefined
}

function placeBelow(folder: string, address: PciAddress, places: Places): DevicePlace | undefined {
  const { path: above, last: parent } = trailOf(folder, places.trails)
  if (above === '') return undefined
  const path = `${above}/${stepOf(address)}`
  return { folder: `${folder}/${address}`, facts: parent ? { path, parent } : { path } }
}

/** What a folder below /sys/devices says of the way to it; those of bridges are asked for again and again. */
type Trail = { readonly path: string; readonly last?: PciAddress }
type Trails = Map<string, Trail>

function trailOf(folder: string, trails: Trails): Trail {
  const slash = folder.lastIndexOf('/')
  if (slash < 0) return { path: '' }
  let trail = trails.get(folder)
  if (trail === undefined) {
    trail = stepInto(trailOf(folder.slice(0, slash), trails), folder.slice(slash + 1))
    trails.set(folder, trail)
  }
  return trail
}

function stepInto(above: Trail, part: string): Trail {
  const to = (step: string) => (above.path === '' ? step : `${above.path}/${step}`)
  const here = parseAddress(part)
  if (here !== undefined) return { path: to(stepOf(here)), last: here }
  const root = /^pci([0-9a-f]{4,8}:[0-9a-f]{2})$/.exec(part)?.[1]
  return root === undefined ? above : { path: to(root) }
}

/** `0000:01:00.0` → `00.0` */
function stepOf(address: PciAddress): string {
  return address.slice(address.lastIndexOf(':') + 1)
}
