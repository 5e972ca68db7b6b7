/**
 * Finds the folder of a function below /sys/devices, and reads path and parent bridge from it. The kernel's
 * link on the bus gives the folder. All functions of a bus have their folders in that of the bridge above
 * (`pci_setup_device`, drivers/pci/probe.c), so the link is read for the first function of each bus only.
 * This saves a system call for each of the others.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { linkOf, textOf, type Reading } from './reading.ts'

export const devicesFolder = '/sys/bus/pci/devices'

export type DevicePlace = { readonly folder: string; readonly facts: Partial<PciDevice> }

/** The folders found so far. */
export type Places = {
  readonly trails: Trails
  /** Bus (`0000:01`) → the folder that holds the folders of its functions. */
  readonly folderOfBus: Map<string, string>
}

export function noPlaces(): Places {
  return { trails: new Map(), folderOfBus: new Map() }
}

/**
 * The folder of a function, or the link on the bus if it does not lead to a known place. Also returns
 * `uevent`, which is read to check that the folder exists.
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

/** The folder of the function beside that of the first function of its bus. `undefined` for the first one. */
export function placeBeside(address: PciAddress, places: Places): DevicePlace | undefined {
  const beside = places.folderOfBus.get(busOf(address))
  return beside === undefined ? undefined : placeBelow(beside, address, places)
}

/** Reads the link on the bus and remembers the folder for the other functions of this bus. */
export function placeByLink(reading: Reading, address: PciAddress, places: Places): DevicePlace | undefined {
  const place = placeOf(address, linkOf(reading, `${devicesFolder}/${address}`), places)
  if (place) places.folderOfBus.set(busOf(address), place.folder.slice(0, -address.length - 1))
  return place
}

function busOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf(':'))
}

/**
 * The path without bus numbers and the bridge above, from the text of the link:
 * `../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0` → path `0000:00/1c.0/00.0`, parent 0000:00:1c.0. A
 * second `pciDDDD:BB` in the link (VMD) starts a new root bus; no parent is reported across it.
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

/**
 * The path and the last function that a folder below /sys/devices stands for. Folders of bridges occur often,
 * so they are remembered.
 */
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
