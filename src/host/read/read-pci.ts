/**
 * /sys/bus/pci/devices → PciDevice[]. Listing the folders of thousands of functions takes longer than reading
 * them, so attributes that a function cannot have (by its class or configuration space) are not read. pci/
 * decodes capabilities; read-attached.ts reads what is attached.
 */
import { toHex } from '../../pci/hex.ts'
import { compareAddresses, parseAddress, slotOf, type PciAddress } from '../../pci/address.ts'
import { addFactsFrom } from '../../pci/config-space.ts'
import type { Link, PciDevice } from '../../pci/device.ts'
import type { Draft } from '../../pci/draft.ts'
import { findPaths, findTopology } from '../../pci/topology.ts'
import { configOf, type PciDetail } from './read-config.ts'
import { barsOf } from './read-bars.ts'
import { readAttached, type Attached } from './read-attached.ts'
import { sriovOf, withFunctionSettings } from './read-sriov.ts'
import {
  devicesFolder,
  findFolder,
  noPlaces,
  placeBeside,
  placeByLink,
  type DevicePlace,
  type Places,
} from './device-place.ts'
import { idsOf, isSilent, ueventValue, type Ids, type KnownIds, type TextOf } from './function-ids.ts'
import { idsOfKind, readHeld, rememberKind, type KnownKinds } from './function-kind.ts'
import { linkName, namesIn, numberOf, textOf, type Reading } from './reading.ts'

/** Functions beyond this number are left out with a finding. */
const deviceLimit = 65_536

/**
 * From this number on, listing the drivers' folders takes less time than reading the driver of each function.
 */
const manyFunctions = 128

/** If `groupOf` is empty, the link of each function gives its group. */
export function readPciDevices(
  reading: Reading,
  groupOf: ReadonlyMap<PciAddress, number>,
  detail: PciDetail = 'all',
): PciDevice[] {
  // An archive may list a function twice or in another spelling.
  const addresses = [...new Set(namesIn(reading, devicesFolder).flatMap((name) => parseAddress(name) ?? []))]
  if (addresses.length > deviceLimit) {
    reading.findings.push({
      code: 'input-incomplete',
      severity: 'warning',
      message: `${addresses.length} PCI functions are listed; only the first ${deviceLimit} are read`,
    })
    addresses.length = deviceLimit
  }
  const attached = readAttached(reading)
  const slots = readPhysicalSlots(reading)
  const known: Known = {
    groupOf,
    attached,
    slots,
    detail,
    places: noPlaces(),
    onlyNode: readOnlyNode(reading),
    wordLists: new Map(),
    ids: new Map(),
    held: detail === 'verdicts' && addresses.length >= manyFunctions ? readHeld(reading) : new Map(),
    kinds: new Map(),
    unnoted: { ...reading, unreadable: new Map() },
  }
  const devices = addresses.map((address) => readDevice(reading, address, known))
  return withVirtualPlaces(
    withoutFalseNulls(reading, devices).sort((a, b) => compareAddresses(a.address, b.address)),
  )
}

/**
 * In sysfs the folder of a virtual function is beside that of its physical function, so both could have one
 * path. Its path is therefore that of the physical function with its number: `0000:00/03.0/00.0/vf1`.
 */
function withVirtualPlaces(devices: PciDevice[]): PciDevice[] {
  if (!devices.some((device) => device.physFn !== undefined)) return devices
  const ranked = findPaths(findTopology(devices))
  const stated = new Map(devices.map((device) => [device.address, device.path]))
  return devices.map((device) => {
    const home = device.physFn && stated.get(device.physFn)
    const rank = ranked.get(device.address)?.split('/').at(-1)
    return home !== undefined && rank?.startsWith('vf') ? { ...device, path: `${home}/${rank}` } : device
  })
}

type Known = {
  readonly groupOf: ReadonlyMap<PciAddress, number>
  readonly attached: ReadonlyMap<PciAddress, Attached>
  readonly slots: ReadonlyMap<string, string>
  readonly detail: PciDetail
  readonly places: Places
  readonly onlyNode: number | undefined
  readonly wordLists: Map<string, readonly string[]>
  readonly ids: KnownIds
  /** The drivers of the functions, if listed; then one `uevent` is read for each kind of function. */
  readonly held: ReadonlyMap<PciAddress, string>
  readonly kinds: KnownKinds
  /**
   * For reads whose failures are not noted: if one fails, the file is read again through the other Reading,
   * which notes it.
   */
  readonly unnoted: Reading
}

/** The first facts about a function: its folder, configuration space, ids and driver. */
type Seen = {
  readonly folder: string
  readonly place: Partial<PciDevice> | undefined
  readonly config: Uint8Array | undefined
  readonly size?: number | undefined
  readonly ids: Ids
  readonly driver: string | null
}

function readDevice(reading: Reading, address: PciAddress, known: Known): PciDevice {
  const seen = see(reading, address, known)
  if (typeof seen === 'string') return vanished(reading, address, seen)
  const { folder, place, config, size, ids, driver } = seen
  const text: TextOf = (name) => textOf(reading, `${folder}/${name}`)
  const device: Draft<PciDevice> = {
    address,
    ...ids,
    driver,
    iommuGroup: known.groupOf.get(address) ?? groupFromLink(reading, folder, known) ?? null,
  }
  if (place) Object.assign(device, place)
  addAttributes(reading, folder, device, known)
  // If the function does not answer, its image holds only ff.
  if (config !== undefined && !isSilent(config)) device.multifunction = ((config[0x0e] ?? 0) & 0x80) !== 0
  if (known.detail === 'all') Object.assign(device, detailsOf(text, config))
  const slot = known.slots.size === 0 ? undefined : known.slots.get(slotOf(address))
  if (slot !== undefined) device.physicalSlot = slot
  const attached = known.attached.get(address)
  if (attached) Object.assign(device, attached)
  if (config !== undefined)
    addFactsFrom(device, config, { wanted: known.detail === 'all' ? 'all' : 'facts', size })
  const sriov = sriovOf(reading, folder, device, config)
  if (sriov) Object.assign(device, sriov)
  if (known.detail === 'all') Object.assign(device, withFunctionSettings(reading, folder, device))
  return device
}

/**
 * Takes the ids of another function of the same kind if a driver's folder lists this one; otherwise reads
 * them. Returns the folder's path if the function is gone.
 */
function see(reading: Reading, address: PciAddress, known: Known): Seen | string {
  const driver = known.held.get(address)
  const guess = driver === undefined ? undefined : placeHeld(address, known)
  const image = guess && configOf(known.unnoted, guess.folder, known.detail)
  const ofKind = image?.config && idsOfKind(image.config, known.kinds)
  if (driver !== undefined && guess && image && ofKind)
    return {
      folder: guess.folder,
      place: guess.facts,
      config: image.config,
      size: image.size,
      ids: ofKind,
      driver,
    }
  const { folder, facts: place, uevent } = findFolder(reading, address, known.places)
  const isRead = image?.config !== undefined && folder === guess?.folder
  const { config, size } = isRead ? image : configOf(reading, folder, known.detail)
  const ids = idsOf((name) => textOf(reading, `${folder}/${name}`), uevent, config, known.ids)
  const isSilentFolder = uevent === undefined && config === undefined && ids.vendorId === undefined
  // If some files were unreadable, these may be among them. So the function counts as gone only if its folder
  // is gone too.
  if (isSilentFolder && (reading.unreadable.size === 0 || !reading.system.stat(folder).ok)) return folder
  if (config !== undefined && known.held.size > 0) rememberKind(config, ids, known.kinds)
  return { folder, place, config, size, ids, driver: driverOf(reading, folder, uevent) }
}

/** The place of a function that a driver's folder lists; its failures are noted when it is read itself. */
function placeHeld(address: PciAddress, { places, unnoted }: Known): DevicePlace | undefined {
  return placeBeside(address, places) ?? placeByLink(unnoted, address, places)
}

/** If the machine can have only one node, every function is on it, even with a `numa_node` of -1. */
function readOnlyNode(reading: Reading): number | undefined {
  const possible = textOf(reading, '/sys/devices/system/node/possible')
  return possible !== undefined && /^\d{1,4}$/.test(possible) ? Number(possible) : undefined
}

function addAttributes(reading: Reading, folder: string, device: Draft<PciDevice>, known: Known): void {
  const node = known.onlyNode ?? numberOf(textOf(reading, `${folder}/numa_node`))
  if (node !== undefined && node >= 0) device.numaNode = node
  // The file exists only for functions that can be reset (`pci_dev_reset_attr_is_visible`,
  // drivers/pci/pci.c).
  const methods = textOf(reading, `${folder}/reset_method`)
  if (methods !== undefined) device.resetMethods = wordsOf(methods, known.wordLists)
  // Only VGA controllers have the file.
  const bootVga = device.classCode?.startsWith('0300') ? textOf(reading, `${folder}/boot_vga`) : undefined
  if (bootVga !== undefined) device.bootVga = bootVga === '1'
}

/** Facts that no verdict needs. */
function detailsOf(text: TextOf, config: Uint8Array | undefined): Partial<PciDevice> {
  return {
    ...overrideOf(text('driver_override')),
    ...(config === undefined || config.length < 64 ? {} : { config: toHex(config) }),
    ...barsOf(text('resource')),
    ...(config !== undefined && config.length >= 256 ? {} : linkSpeedOf(text)),
  }
}

function vanished(reading: Reading, address: PciAddress, folder: string): PciDevice {
  reading.findings.push({
    code: 'unreadable',
    severity: 'warning',
    message: `${address} is listed, but no file in its folder ${folder} can be read`,
    help: 'it may have been removed while it was read; run the command again',
    about: [address],
  })
  return { address }
}

/**
 * `uevent` names the driver (`dev_uevent`, drivers/base/core.c). Its text is complete if it holds
 * PCI_SLOT_NAME; otherwise the link is read.
 */
function driverOf(reading: Reading, folder: string, uevent: string | undefined): string | null {
  const named = uevent === undefined ? undefined : ueventValue(uevent, 'DRIVER')
  if (named) return named
  return uevent?.includes('\nPCI_SLOT_NAME=') ? null : linkName(reading, `${folder}/driver`) || null
}

/** Most functions have one of a few lists, so equal lists share one array. */
function wordsOf(text: string, known: Map<string, readonly string[]>): readonly string[] {
  let words = known.get(text)
  if (words === undefined) known.set(text, (words = text.split(/\s+/).filter(Boolean)))
  return words
}

function overrideOf(text: string | undefined): Partial<PciDevice> {
  if (text === undefined) return {}
  return { driverOverride: text === '' || text === '(null)' ? null : text }
}

/** Read only if the groups were not listed. If they were, a function that is in none has no group. */
function groupFromLink(reading: Reading, folder: string, known: Known): number | undefined {
  return known.groupOf.size > 0 ? undefined : numberOf(linkName(reading, `${folder}/iommu_group`))
}

function linkSpeedOf(text: TextOf): { link?: Link } {
  const speed = (name: string): string | undefined => /^[\d.]+ GT\/s/.exec(text(name) ?? '')?.[0]
  const width = (name: string): number | undefined => {
    const lanes = numberOf(text(name))
    return lanes === undefined || lanes === 0 || lanes > 32 ? undefined : lanes
  }
  const facts = {
    speed: speed('current_link_speed'),
    width: width('current_link_width'),
    maxSpeed: speed('max_link_speed'),
    maxWidth: width('max_link_width'),
  }
  const link: Link = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return Object.keys(link).length > 0 ? { link } : {}
}

/** /sys/bus/pci/slots/NAME/address holds `0000:01:00`. Firmware and hot-plug drivers give the names. */
function readPhysicalSlots(reading: Reading): Map<string, string> {
  const slots = new Map<string, string>()
  for (const name of namesIn(reading, '/sys/bus/pci/slots')) {
    const place = textOf(reading, `/sys/bus/pci/slots/${name}/address`)
    if (place && !slots.has(place)) slots.set(place, name)
  }
  return slots
}

/**
 * If no function of an archive has a driver link or group link, the archive did not keep these links. On the
 * running machine a missing link means that there is none.
 */
function withoutFalseNulls(reading: Reading, devices: PciDevice[]): PciDevice[] {
  if (reading.system.live) return devices
  const keptDrivers = devices.some((device) => typeof device.driver === 'string')
  const keptGroups = devices.some((device) => typeof device.iommuGroup === 'number')
  const knowsGroups = keptGroups || reading.system.stat('/sys/kernel/iommu_groups').ok
  if (keptDrivers && knowsGroups) return devices
  return devices.map((device) => {
    const { driver, iommuGroup, ...rest } = device
    return {
      ...rest,
      ...(driver === undefined || (driver === null && !keptDrivers) ? {} : { driver }),
      ...(iommuGroup === undefined || (iommuGroup === null && !knowsGroups) ? {} : { iommuGroup }),
    }
  })
}
