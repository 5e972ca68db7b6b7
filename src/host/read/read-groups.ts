/**
 * /sys/kernel/iommu_groups → IommuGroup[]. Who is in a group is told twice: by the group's own folder, and by
 * the `iommu_group` link of every member. The links are cheaper, but only functions are asked for theirs, and
 * a group may have members of other buses. `/sys/class/iommu/UNIT/devices` (drivers/iommu/iommu-sysfs.c)
 * names every device the unit serves, so where all units have that list the links are enough.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { Draft } from '../../pci/draft.ts'
import type { IommuGroup, ReservedRegion } from '../host.ts'
import { linkName, namesIn, numberOf, textOf, type Reading } from './reading.ts'

const groupsFolder = '/sys/kernel/iommu_groups'
const unitsFolder = '/sys/class/iommu'

type Members = { readonly devices: readonly PciAddress[]; readonly others: readonly string[] }

/** The groups before any function was read. */
export type GroupList = {
  /** In the order of their numbers. */
  readonly ids: readonly number[]
  /** By group; not there where each function's link is to be asked. */
  readonly members?: ReadonlyMap<number, Members>
  /** What the units serve, for `groupsOf`. */
  readonly served: readonly Served[]
}

type Served = { readonly unit: string; readonly names: readonly string[] }

export function listGroups(reading: Reading, units: readonly string[]): GroupList {
  const names = namesIn(reading, groupsFolder).filter((name) => /^\d{1,9}$/.test(name))
  // Numbers in an array of their own sort without a function that is called for every two of them.
  const ids = [...Uint32Array.from(names, Number).sort()]
  const served = ids.length === 0 ? undefined : servedBy(reading, units)
  return served === undefined ? { ids, served: [], members: readMembers(reading, ids) } : { ids, served }
}

/**
 * Nothing where a unit does not tell (archives, kernels without the list), and where none is there to ask.
 */
function servedBy(reading: Reading, units: readonly string[]): Served[] | undefined {
  const served: Served[] = []
  for (const unit of units) {
    const names = reading.system.list(`${unitsFolder}/${unit}/devices`)
    if (!names.ok) return undefined
    if (names.value.length > 0) served.push({ unit, names: names.value })
  }
  return served.length === 0 ? undefined : served
}

/** Each function's group as the groups' folders told it; empty where they were not read. */
export function groupOfFunction(list: GroupList): ReadonlyMap<PciAddress, number> {
  const groupOf = new Map<PciAddress, number>()
  for (const [id, { devices }] of list.members ?? []) for (const address of devices) groupOf.set(address, id)
  return groupOf
}

/**
 * The groups with their members; the functions too, for where links and lists do not fit only the lists
 * count.
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

/** Of every group until it has some: an array made empty grows to room for seventeen with its first. */
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
      // A function that is served but names no group, too: then the links are not to be trusted.
      if (group === undefined || parseAddress(name) !== undefined) return undefined
      if (group.others === none) group.others = [name]
      else group.others.push(name)
    }
  }
  // No unit serves these: mediated devices and others that VFIO gave a group without an IOMMU.
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
  // What one group's folder has, all have: asking each for a file an archive did not keep is slow.
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

/** Lines of `0x00000000fee00000 0x00000000feefffff msi`. */
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
