/**
 * /sys/kernel/iommu_groups → IommuGroup[]. The members of a group are in its own folder, and every member has
 * an `iommu_group` link. Reading the links is faster, but only PCI functions are known here, and a group may
 * have members on other buses. `/sys/class/iommu/UNIT/devices` (drivers/iommu/iommu-sysfs.c) lists every
 * device that a unit serves; if all units have this list, the links are enough.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { Draft } from '../../pci/draft.ts'
import type { IommuGroup, ReservedRegion } from '../host.ts'
import { linkName, namesIn, numberOf, textOf, type Reading } from './reading.ts'

const groupsFolder = '/sys/kernel/iommu_groups'
const unitsFolder = '/sys/class/iommu'

type Members = { readonly devices: readonly PciAddress[]; readonly others: readonly string[] }

/** The groups, read before any function. */
export type GroupList = {
  /** In the order of their numbers. */
  readonly ids: readonly number[]
  /** Members by group. Absent: the link of each function must be read. */
  readonly members?: ReadonlyMap<number, Members>
  /** The devices that the units serve. */
  readonly served: readonly Served[]
}

type Served = { readonly unit: string; readonly names: readonly string[] }

export function listGroups(reading: Reading, units: readonly string[]): GroupList {
  const names = namesIn(reading, groupsFolder).filter((name) => /^\d{1,9}$/.test(name))
  // A typed array sorts numbers without a comparison function.
  const ids = [...Uint32Array.from(names, Number).sort()]
  const served = ids.length === 0 ? undefined : servedBy(reading, units)
  return served === undefined ? { ids, served: [], members: readMembers(reading, ids) } : { ids, served }
}

/** `undefined` if a unit has no such list (archives, older kernels) or if there is no unit. */
function servedBy(reading: Reading, units: readonly string[]): Served[] | undefined {
  const served: Served[] = []
  for (const unit of units) {
    const names = reading.system.list(`${unitsFolder}/${unit}/devices`)
    if (!names.ok) return undefined
    if (names.value.length > 0) served.push({ unit, names: names.value })
  }
  return served.length === 0 ? undefined : served
}

/** Function → group, from the folders of the groups. Empty if they were not read. */
export function groupOfFunction(list: GroupList): ReadonlyMap<PciAddress, number> {
  const groupOf = new Map<PciAddress, number>()
  for (const [id, { devices }] of list.members ?? []) for (const address of devices) groupOf.set(address, id)
  return groupOf
}

/**
 * The groups with their members. If links and lists contradict each other, the lists count, and the groups of
 * the functions are corrected.
 */
export function groupsOf(
  reading: Reading,
  list: GroupList,
  devices: readonly PciDevice[],
): { groups: IommuGroup[]; devices: readonly PciDevice[] } {
  const members = list.members ?? membersByLinks(reading, list, devices)
  if (members !== undefined) return { groups: withDetails(reading, list.ids, members), devices }
  const read: GroupList = { ...list, members: readMembers(reading, list.ids) }
  const groupOf = groupOfFunction(read)
  const placed = devices.map((device) =>
    device.iommuGroup === undefined ? device : { ...device, iommuGroup: groupOf.get(device.address) ?? null },
  )
  return groupsOf(reading, read, placed)
}

type Found = { devices: PciAddress[]; others: string[] }

/**
 * The first value of every group. Sharing it saves memory: an array that starts empty reserves room for 17
 * members.
 */
const none: never[] = []

function membersByLinks(
  reading: Reading,
  { ids, served }: GroupList,
  devices: readonly PciDevice[],
): ReadonlyMap<number, Members> | undefined {
  const found = new Map<number, Found>()
  for (const id of ids) found.set(id, { devices: none, others: none })
  const linked = new Set<string>()
  for (const { address, iommuGroup } of devices) {
    if (typeof iommuGroup !== 'number') continue
    const group = found.get(iommuGroup)
    if (group === undefined) return undefined
    if (group.devices === none) group.devices = [address]
    else group.devices.push(address)
    linked.add(address)
  }
  for (const { unit, names } of served) {
    for (const name of names.filter((one) => !linked.has(one))) {
      const id = numberOf(linkName(reading, `${unitsFolder}/${unit}/devices/${name}/iommu_group`))
      const group = id === undefined ? undefined : found.get(id)
      // A unit serves a function that names no group, so the links cannot be relied on.
      if (group === undefined || parseAddress(name) !== undefined) return undefined
      if (group.others === none) group.others = [name]
      else group.others.push(name)
    }
  }
  // No unit serves these groups: those of mediated devices, and those that VFIO makes without an IOMMU.
  const rest = ids.filter((id) => isEmpty(found.get(id)))
  return rest.length === 0 ? found : new Map([...found, ...readMembers(reading, rest)])
}

function isEmpty(members: Members | undefined): boolean {
  return members === undefined || (members.devices.length === 0 && members.others.length === 0)
}

function readMembers(reading: Reading, ids: readonly number[]): Map<number, Members> {
  const members = new Map<number, Members>()
  for (const id of ids) {
    const devices: PciAddress[] = []
    const others: string[] = []
    for (const member of namesIn(reading, `${groupsFolder}/${id}/devices`)) {
      const address = parseAddress(member)
      if (address === undefined) others.push(member)
      else if (!devices.includes(address)) devices.push(address)
    }
    members.set(id, { devices, others })
  }
  return members
}

function withDetails(
  reading: Reading,
  ids: readonly number[],
  members: ReadonlyMap<number, Members>,
): IommuGroup[] {
  // All groups have the same files. Looking at one folder saves failing reads in an archive.
  const kept = new Set(ids[0] === undefined ? [] : namesIn(reading, `${groupsFolder}/${ids[0]}`))
  return ids.map((id) => {
    const { devices = [], others = [] } = members.get(id) ?? {}
    const group: Draft<IommuGroup> = { id, devices }
    if (others.length > 0) group.otherMembers = others
    const type = kept.has('type') ? textOf(reading, `${groupsFolder}/${id}/type`) : undefined
    if (type) group.type = type
    const regions = kept.has('reserved_regions')
      ? textOf(reading, `${groupsFolder}/${id}/reserved_regions`)
      : undefined
    if (regions !== undefined) group.reservedRegions = parseReservedRegions(regions)
    return group
  })
}

/** Parses lines such as `0x00000000fee00000 0x00000000feefffff msi`. */
export function parseReservedRegions(text: string): ReservedRegion[] {
  const regions: ReservedRegion[] = []
  for (const match of text.matchAll(/^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) ([\w-]+)$/gm)) {
    const [, start = '', end = '', type = ''] = match
    regions.push({ start: plainHex(start), end: plainHex(end), type })
  }
  return regions
}

function plainHex(text: string): string {
  return text.replace(/^0+(?=.)/, '')
}
