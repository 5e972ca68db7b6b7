/**
 * Finds the device of a name: `/dev/sda2`, `UUID=…`, `/dev/vg0/root`, `8:3`. If a name leads nowhere, either
 * its device is not present today (every present device is known to be another one), or it is lost: then any
 * device that is not known to be another one may be the one.
 */
import { textOf, type Reading } from '../../read/reading.ts'
import type { Block, Blocks } from './blocks.ts'
import { decodeUdev, encodeUdev, type Udev, type UdevRecord } from './udev.ts'

export type Found =
  | { readonly is: 'block'; readonly name: string }
  | { readonly is: 'absent'; readonly why: string }
  /** `maybe`: the devices that it could be. Absent: it could be any. */
  | { readonly is: 'lost'; readonly why: string; readonly maybe?: readonly string[] }

export type Namer = {
  readonly reading: Reading
  readonly blocks: Blocks
  readonly udev: () => Udev
  /** Name of a mapping in /etc/crypttab → its source. */
  readonly crypttab: ReadonlyMap<string, string>
}

/**
 * Ids are compared without regard to case, as the kernel does (block/early-lookup.c), because people type
 * both.
 */
const tags: Readonly<Record<string, { folder: string; property: string; foldsCase: boolean }>> = {
  UUID: { folder: 'by-uuid', property: 'ID_FS_UUID', foldsCase: true },
  PARTUUID: { folder: 'by-partuuid', property: 'ID_PART_ENTRY_UUID', foldsCase: true },
  LABEL: { folder: 'by-label', property: 'ID_FS_LABEL_ENC', foldsCase: false },
  PARTLABEL: { folder: 'by-partlabel', property: 'ID_PART_ENTRY_NAME', foldsCase: false },
  ID: { folder: 'by-id', property: '', foldsCase: false },
  DISKSEQ: { folder: 'by-diskseq', property: '', foldsCase: false },
}

/**
 * The path for a name in a configuration file. `undefined` if the name is no device of this host (a server,
 * tmpfs).
 */
export function pathOfName(name: string): string | undefined {
  const plain = name.replaceAll(/^["']|["']$/g, '')
  const [, tag = '', value = ''] = /^([A-Z]+)=(.+)$/s.exec(plain) ?? []
  const known = tags[tag]
  // `PARTUUID=…/PARTNROFF=1` is another partition of the same disk.
  const id = value.replace(/\/PARTNROFF=-?\d+$/, '').replaceAll(/^["']|["']$/g, '')
  if (known !== undefined)
    return id === '' || id.includes('/') ? undefined : `/dev/disk/${known.folder}/${encodeUdev(id)}`
  return /^\/dev\/[^\0]{1,400}$/.test(plain) && !/(?:^|\/)\.\.(?:\/|$)/.test(plain) ? plain : undefined
}

/**
 * Major and minor in the forms of `resume=`: `8:3`, `0x803`, `803` (block/early-lookup.c,
 * `devt_from_devnum`).
 */
export function numberOfName(name: string): string | undefined {
  const pair = /^(\d{1,5}):(\d{1,7})(?::\d+)?$/.exec(name)
  if (pair) return `${Number(pair[1])}:${Number(pair[2])}`
  const hex = /^(?:0x)?([0-9a-f]{2,8})$/i.exec(name)?.[1]
  if (hex === undefined) return undefined
  const value = Number.parseInt(hex, 16)
  return `${(value >>> 8) & 0xfff}:${(value & 0xff) | ((value >>> 12) & 0xfff00)}`
}

export function findByNumber({ blocks }: Namer, number: string): Found {
  const block = blocks.byNumber.get(number)
  if (block) return { is: 'block', name: block.name }
  return { is: 'lost', why: `no block device with the number ${number} is shown` }
}

export function findDevice(namer: Namer, path: string): Found {
  const { reading, blocks } = namer
  const real = reading.system.realPath(path)
  const direct = kernelName(real.ok ? real.value : path)
  if (direct !== undefined && blocks.byName.has(direct)) return { is: 'block', name: direct }
  const folder = /^\/dev\/disk\/(by-[a-z]+)\/(.+)$/.exec(path)
  if (folder) return findByLink(namer, folder[1] ?? '', folder[2] ?? '')
  const mapped = findMapped(namer, path)
  if (mapped !== undefined) return { is: 'block', name: mapped }
  const linked = [...namer.udev()].find(([, { links }]) => links.includes(path.slice('/dev/'.length)))
  if (linked) return { is: 'block', name: linked[0] }
  if (direct !== undefined && isDiskName(direct)) {
    if (blocks.areAllPlaced && blocks.byName.size > 0)
      return { is: 'absent', why: `there is no ${path} today` }
    return { is: 'lost', why: `nothing shows a device ${path}` }
  }
  const source = namer.crypttab.get(/^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1] ?? '')
  const below = source === undefined ? undefined : pathOfName(source)
  if (below !== undefined && below !== path) return findDevice({ ...namer, crypttab: new Map() }, below)
  const group = /^\/dev\/([^/]+)\/[^/]+$/.exec(path)?.[1]
  return lostOrAbsent(namer, path, (record) => isMember(record, group === 'mapper' ? undefined : group))
}

/** Whether the kernel gave this name, as opposed to a link of udev. */
export function isDiskName(name: string): boolean {
  return /^(?:[shv]d[a-z]+\d*|xvd[a-z]+\d*|nvme\d+n\d+(?:p\d+)?|mmcblk\d+\w*|dm-\d+|md\d+(?:p\d+)?|loop\d+|zd\d+(?:p\d+)?|sr\d+|nbd\d+\w*|rbd\d+\w*|drbd\d+|bcache\d+\w*|zram\d+|ram\d+|pmem\d+\w*)$/.test(
    name,
  )
}

function kernelName(path: string): string | undefined {
  const match = /^\/dev\/([^\0]+)$/.exec(path)?.[1]
  // `/dev/cciss/c0d0` is `cciss!c0d0` in sysfs.
  return match?.replaceAll('/', '!')
}

function findByLink(namer: Namer, folder: string, wanted: string): Found {
  const tag = Object.values(tags).find((one) => one.folder === folder)
  const same = (a: string): boolean =>
    a === wanted || (tag?.foldsCase === true && a.toLowerCase() === wanted.toLowerCase())
  const { reading, blocks } = namer
  const links = reading.system.list(`/dev/disk/${folder}`)
  const link = links.ok ? links.value.find(same) : undefined
  const real = link === undefined ? undefined : reading.system.realPath(`/dev/disk/${folder}/${link}`)
  const name = real?.ok === true ? kernelName(real.value) : undefined
  if (name !== undefined && blocks.byName.has(name)) return { is: 'block', name }
  for (const [one, record] of namer.udev())
    if (recordIs(record, folder, tag?.property, same)) return { is: 'block', name: one }
  const path = `/dev/disk/${folder}/${wanted}`
  if (link !== undefined) return { is: 'lost', why: `${path} leads to no device that is shown` }
  const others = isOneOnly(folder) && links.ok ? links.value : []
  return lostOrAbsent(
    namer,
    path,
    () => false,
    new Set(others.flatMap((one) => endOfLink(reading, folder, one))),
  )
}

/** A device has at most one link of these kinds, so a device with another one is excluded. */
function isOneOnly(folder: string): boolean {
  return /^by-(?:part)?(?:uuid|label)$/.test(folder)
}

function endOfLink(reading: Reading, folder: string, link: string): readonly string[] {
  const end = reading.system.realPath(`/dev/disk/${folder}/${link}`)
  return end.ok ? [kernelName(end.value) ?? ''] : []
}

function recordIs(
  { links, properties }: UdevRecord,
  folder: string,
  property: string | undefined,
  same: (text: string) => boolean,
): boolean {
  if (links.some((link) => link.startsWith(`disk/${folder}/`) && same(link.slice(folder.length + 6))))
    return true
  const value = property === undefined || property === '' ? undefined : properties.get(property)
  return value !== undefined && (same(value) || same(encodeUdev(decodeUdev(value))))
}

/**
 * Finds `/dev/mapper/vg0-root` and `/dev/vg0/root` without udev's links, by the name that device-mapper
 * reports.
 */
function findMapped({ reading, blocks }: Namer, path: string): string | undefined {
  const mapper = /^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1]
  const [, group, volume] = /^\/dev\/([^/]+)\/([^/]+)$/.exec(path) ?? []
  const joined = [group, volume].map((part) => part?.replaceAll('-', '--')).join('-')
  const wanted = mapper === undefined ? joined : decodeUdev(mapper)
  for (const { name, folder } of blocks.byName.values())
    if (name.startsWith('dm-') && textOf(reading, `${folder}/dm/name`) === wanted) return name
  return undefined
}

/** Whether the device is a part of another one: of a volume group, an encrypted volume or an array. */
function isMember({ properties }: UdevRecord, group: string | undefined): boolean {
  const known = properties.get('LVM_VG_NAME_COMPLETE')
  if (group !== undefined && known !== undefined && known !== group) return false
  return /^(?:LVM2_member|LVM1_member|crypto_LUKS|linux_raid_member|\w+_raid_member|bcache|zfs_member|mpath_member|drbd)$/.test(
    properties.get('ID_FS_TYPE') ?? '',
  )
}

/**
 * A device that udev identified as another one is excluded. `isMaybe` decides for records that leave it open.
 */
function lostOrAbsent(
  { blocks, udev }: Namer,
  path: string,
  isMaybe: (record: UdevRecord) => boolean,
  others: ReadonlySet<string> = new Set(),
): Found {
  const records = udev()
  const parted = new Set([...blocks.byName.values()].map(({ disk }) => disk))
  const maybe = [...blocks.byName.values()].filter((block) => {
    const record = records.get(block.name)
    return (
      isRealDisk(block) &&
      !parted.has(block.name) &&
      !others.has(block.name) &&
      (record === undefined || isMaybe(record))
    )
  })
  if (maybe.length === 0 && blocks.areAllPlaced && blocks.byName.size > 0)
    return { is: 'absent', why: `no device of today is ${path}` }
  const why = `nothing says which device ${path} is`
  return blocks.areAllPlaced && blocks.byName.size > 0
    ? { is: 'lost', why, maybe: maybe.map(({ name }) => name) }
    : { is: 'lost', why }
}

/** Excludes memory, loop devices and the hidden paths of a multipath namespace. */
function isRealDisk({ name }: Block): boolean {
  return !/^(?:loop|ram|zram|nbd|sr|fd)\d+$|^nvme\d+c\d+n\d+$/.test(name)
}
