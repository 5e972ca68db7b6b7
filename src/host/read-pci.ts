/**
 * /sys/bus/pci/devices → PciDevice[]. One listing per function tells which attributes exist; only those are opened.
 * Capabilities are decoded from configuration space in pci/; what hangs behind a function is in read-attached.ts.
 */
import { compareAddresses, parseAddress, slotOf, type PciAddress } from '../pci/address.ts'
import { withFactsFrom } from '../pci/config-space.ts'
import type { Bar, Link, PciDevice } from '../pci/device.ts'
import { findPaths, findTopology } from '../pci/topology.ts'
import type { IommuGroup } from './host.ts'
import { readAttached, type Attached } from './read-attached.ts'
import { toHex } from './hex.ts'
import { bytesOf, linkName, linkOf, namesIn, numberOf, textOf, type Reading } from './reading.ts'

const devicesFolder = '/sys/bus/pci/devices'

/** A machine with more functions than this is not one we can judge; the rest is left out with a finding. */
const deviceLimit = 65_536

export function readPciDevices(reading: Reading, groups: readonly IommuGroup[]): PciDevice[] {
  const groupOf = new Map<PciAddress, number>()
  for (const group of groups) for (const address of group.devices) groupOf.set(address, group.id)
  const addresses = namesIn(reading, devicesFolder).flatMap((name) => parseAddress(name) ?? [])
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
  const devices = addresses.map((address) => readDevice(reading, address, { groupOf, attached, slots }))
  return withVirtualPlaces(withoutFalseNulls(reading, devices).sort((a, b) => compareAddresses(a.address, b.address)))
}

/**
 * In sysfs a virtual function's folder lies beside its physical function's, and on a bus of its own it would seem to be at the
 * very same place; so its place is that one's with its rank: `0000:00/03.0/00.0/vf1`.
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
}

function readDevice(reading: Reading, address: PciAddress, known: Known): PciDevice {
  const link = linkOf(reading, `${devicesFolder}/${address}`)
  const place = placeOf(address, link)
  const folder = place?.folder ?? `${devicesFolder}/${address}`
  const listed = reading.system.list(folder)
  if (!listed.ok) {
    reading.findings.push({
      code: 'unreadable',
      severity: 'warning',
      message: `${address} is listed, but its folder ${folder} cannot be read (${listed.code ?? listed.reason})`,
      help: 'it may have been removed while it was read; run the command again',
      about: [address],
    })
    return { address }
  }
  const names = new Set(listed.value)
  const text = (name: string): string | undefined =>
    names.has(name) ? textOf(reading, `${folder}/${name}`) : undefined
  // A file longer than configuration space can be is a broken archive, not a larger space.
  const config = names.has('config') ? bytesOf(reading, `${folder}/config`, 65_536)?.subarray(0, 4096) : undefined
  const slot = known.slots.get(slotOf(address))
  const group = known.groupOf.get(address) ?? groupFromLink(reading, folder, names)
  const hasCapabilities = (config?.length ?? 0) >= 256
  const device: PciDevice = {
    address,
    ...place?.facts,
    ...idsOf(text, config),
    driver: names.has('driver') ? (linkName(reading, `${folder}/driver`) ?? null) : null,
    ...overrideOf(text('driver_override')),
    iommuGroup: group ?? null,
    ...numaOf(text('numa_node')),
    ...(names.has('reset_method') ? { resetMethods: words(text('reset_method')) } : {}),
    ...(names.has('boot_vga') ? { bootVga: text('boot_vga') === '1' } : {}),
    ...(config === undefined || isSilent(config) ? {} : { multifunction: ((config[0x0e] ?? 0) & 0x80) !== 0 }),
    ...(config === undefined || config.length < 64 ? {} : { config: toHex(config) }),
    ...barsOf(text('resource')),
    ...(hasCapabilities ? {} : linkSpeedOf(text)),
    ...sriovOf(reading, folder, names, text),
    ...(slot === undefined ? {} : { physicalSlot: slot }),
    ...known.attached.get(address),
  }
  return config === undefined ? device : withFactsFrom(device, config)
}

type TextOf = (name: string) => string | undefined

/** `uevent` alone tells ids and class in one read; where it is missing (some archives) the single files do. */
function idsOf(text: TextOf, config: Uint8Array | undefined): Partial<PciDevice> {
  const uevent = text('uevent') ?? ''
  const ids = /^PCI_ID=([0-9A-F]{4}):([0-9A-F]{4})$/im.exec(uevent)
  const subsystem = /^PCI_SUBSYS_ID=([0-9A-F]{4}):([0-9A-F]{4})$/im.exec(uevent)
  const classCode = /^PCI_CLASS=([0-9A-F]{1,6})$/im.exec(uevent)?.[1]
  const facts = {
    vendorId: ids?.[1]?.toLowerCase() ?? hexOf(text('vendor'), 4),
    deviceId: ids?.[2]?.toLowerCase() ?? hexOf(text('device'), 4),
    subsystemVendorId: subsystem?.[1]?.toLowerCase() ?? hexOf(text('subsystem_vendor'), 4),
    subsystemId: subsystem?.[2]?.toLowerCase() ?? hexOf(text('subsystem_device'), 4),
    classCode: classCode?.toLowerCase().padStart(6, '0') ?? hexOf(text('class'), 6),
    // Byte 8 of an image that answers is the same as the `revision` file.
    revision: config === undefined || isSilent(config) ? hexOf(text('revision'), 2) : toHex(config.subarray(8, 9)),
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

/** `0x8086` → `8086`, padded to `width`; anything else is not stated. */
function hexOf(text: string | undefined, width: number): string | undefined {
  const digits = /^0x([0-9a-f]{1,8})$/i.exec(text ?? '')?.[1]
  return digits === undefined || digits.length > width ? undefined : digits.toLowerCase().padStart(width, '0')
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(Boolean) ?? []
}

function overrideOf(text: string | undefined): Partial<PciDevice> {
  if (text === undefined) return {}
  return { driverOverride: text === '' || text === '(null)' ? null : text }
}

function numaOf(text: string | undefined): Partial<PciDevice> {
  const node = numberOf(text)
  return node === undefined || node < 0 ? {} : { numaNode: node }
}

function groupFromLink(reading: Reading, folder: string, names: ReadonlySet<string>): number | undefined {
  return names.has('iommu_group') ? numberOf(linkName(reading, `${folder}/iommu_group`)) : undefined
}

/**
 * Place without bus numbers, and the bridge above, from the link's own text:
 * `../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0` → path `0000:00/1c.0/00.0`, parent 0000:00:1c.0.
 * A second `pciDDDD:BB` on the way (VMD) starts a new root bus, so no parent is claimed across it.
 */
export function placeOf(
  address: PciAddress,
  link: string | undefined,
): { readonly folder: string; readonly facts: Partial<PciDevice> } | undefined {
  const at = link?.indexOf('/devices/') ?? -1
  if (link === undefined || at < 0) return undefined
  const folder = `/sys${link.slice(at)}`
  const steps: string[] = []
  let parent: PciAddress | undefined
  let above: PciAddress | undefined
  for (const part of folder.split('/')) {
    const root = /^pci([0-9a-f]{4,8}:[0-9a-f]{2})$/.exec(part)?.[1]
    if (root !== undefined) {
      steps.push(root)
      above = undefined
      continue
    }
    const here = parseAddress(part)
    if (here === undefined) continue
    steps.push(here.slice(here.lastIndexOf(':') + 1))
    parent = above
    above = here
  }
  if (above !== address || steps.length < 2) return undefined
  return { folder, facts: { path: steps.join('/'), ...(parent ? { parent } : {}) } }
}

export function isSilent(config: Uint8Array): boolean {
  for (let i = 0; i < 64; i++) if (config[i] !== 0xff) return false
  return true
}

const resourceIo = 0x100
const resourcePrefetch = 0x2000
const resource64Bit = 0x100000

/** `resource`: lines of start, end, flags; lines 0–5 are the BARs, 6 the expansion ROM, the rest windows of bridges and VFs. */
export function barsOf(text: string | undefined): Partial<PciDevice> {
  if (text === undefined) return {}
  const bars: Bar[] = []
  for (const [index, line] of text.split('\n').slice(0, 7).entries()) {
    const match = /^0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x([0-9a-f]{16})$/.exec(line.trim())
    if (!match) continue
    const [start, end, flags] = [match[1], match[2], match[3]].map((part) => BigInt(`0x${part}`))
    if (start === undefined || end === undefined || !flags) continue
    const kind = index === 6 ? 'rom' : flags & BigInt(resourceIo) ? 'io' : 'memory'
    bars.push({
      index,
      kind,
      ...(start === 0n ? {} : { base: start.toString(16) }),
      ...(end > start ? { size: Number(end - start + 1n) } : {}),
      ...(flags & BigInt(resource64Bit) ? { is64Bit: true } : {}),
      ...(flags & BigInt(resourcePrefetch) ? { prefetchable: true } : {}),
    })
  }
  return bars.length > 0 ? { bars } : {}
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

function sriovOf(reading: Reading, folder: string, names: ReadonlySet<string>, text: TextOf): Partial<PciDevice> {
  const totalVfs = numberOf(text('sriov_totalvfs'))
  const physFn = names.has('physfn') ? parseAddress(linkName(reading, `${folder}/physfn`) ?? '') : undefined
  return {
    ...(totalVfs === undefined ? {} : { sriov: { totalVfs, numVfs: numberOf(text('sriov_numvfs')) ?? 0 } }),
    ...(physFn === undefined ? {} : { physFn }),
  }
}

/** /sys/bus/pci/slots/NAME/address holds `0000:01:00`: the sockets firmware or hot-plug knows by name. */
function readPhysicalSlots(reading: Reading): Map<string, string> {
  const slots = new Map<string, string>()
  for (const name of namesIn(reading, '/sys/bus/pci/slots')) {
    const place = textOf(reading, `/sys/bus/pci/slots/${name}/address`)
    if (place && !slots.has(place)) slots.set(place, name)
  }
  return slots
}

/**
 * An archive in which no function has a driver or group link did not keep those links; that is not "has none".
 * On the running machine it is.
 */
function withoutFalseNulls(reading: Reading, devices: PciDevice[]): PciDevice[] {
  if (reading.system.live) return devices
  const keptDrivers = devices.some((device) => typeof device.driver === 'string')
  const keptGroups = devices.some((device) => typeof device.iommuGroup === 'number')
  const knowsGroups = keptGroups || reading.system.stat('/sys/kernel/iommu_groups').ok
  return devices.map((device) => {
    const { driver, iommuGroup, ...rest } = device
    return {
      ...rest,
      ...(driver === undefined || (driver === null && !keptDrivers) ? {} : { driver }),
      ...(iommuGroup === undefined || (iommuGroup === null && !knowsGroups) ? {} : { iommuGroup }),
    }
  })
}
