/**
 * Finds the disks that the host needs: every mounted file system (of every namespace), swap, pools, active
 * volumes, exports, and the disks of the next start. Each is followed to its ends (disks.ts). A need that
 * ends nowhere is lost, and is never dropped.
 */
import { defined } from '../../../base/defined.ts'
import { deviceClass, type PciDevice } from '../../../pci/device.ts'
import { textOf, type Reading } from '../../read/reading.ts'
import { biosDisk } from './bios-disk.ts'
import { readBootArguments } from './boot-arguments.ts'
import { functionsWithDisks } from './blocks.ts'
import { readBootDisks, type BootDisk } from './boot-disks.ts'
import { findByNumber, findDevice, numberOfName, pathOfName, type Found } from './device-path.ts'
import { swapPaths, type Disks } from './disks.ts'
import { joinNeeds, needsOf, type End, type NeedsRead, type NeedStart } from '../ends.ts'
import { readExports } from './exports.ts'
import { blocksOf, isInMemory } from './file-systems.ts'
import { mountOf, type Mount } from './mounts.ts'
import { namesInSource, unreadSources } from '../sources.ts'
import { readDumpFolders, readNamedDisks, type NamedDisk } from './named-disks.ts'

/** A need with its ends, before needs with the same ends are removed. */
export type DiskNeed = {
  readonly start: NeedStart
  readonly ends: readonly End[]
  /** The block devices at which it begins. */
  readonly top: readonly string[]
  /** The only reason for the need is that the device is active. */
  readonly isActiveOnly?: true
}

export function storageNeeds(disks: Disks, needs: readonly DiskNeed[]): NeedsRead {
  return joinNeeds(needs.map(({ start, ends }) => needsOf(start, ends, disks.couldBe)))
}

/** In the order of importance to a person: disks in use, then named ones, then active ones. */
export function readDiskNeeds(disks: Disks, devices: readonly PciDevice[]): DiskNeed[] {
  const inUse = [
    ...hiddenMounts(disks),
    ...unlistedMounts(disks, devices),
    ...mountNeeds(disks),
    ...swapNeeds(disks),
    ...poolNeeds(disks),
    ...journalNeeds(disks),
    ...exportNeeds(disks),
  ]
  const told = new Set(inUse.flatMap(functionKeys))
  const named = [...namedNeeds(disks), ...bootNeeds(disks, devices)].filter(
    (need) =>
      need.ends.some(({ to }) => to !== 'function') || functionKeys(need).some((key) => !told.has(key)),
  )
  return [...inUse, ...named, ...activeNeeds(disks, [...inUse, ...named]), ...unreadNeeds(disks)]
}

/** Identifies the end of a need, so that a disk in use is not reported again under another name. */
function functionKeys({ ends }: DiskNeed): string[] {
  return ends.flatMap((end) => (end.to === 'function' ? [JSON.stringify([end.chain, end.device])] : []))
}

function vital(what: string, mountPoint?: string): NeedStart {
  return { kind: 'disk', what, weight: 'vital', ...defined({ mountPoint }) }
}

/** A file that exists but cannot be read may state any need. */
function unreadNeeds({ reading }: Disks): DiskNeed[] {
  return [...unreadSources(reading)].map(([path, why]) => {
    const ends: End[] = [{ to: 'lost', chain: [], lost: path, why }]
    return { start: vital('what the host uses'), ends, top: [] }
  })
}

/**
 * Without the list of mounts, judge/checks/known-needs.ts leaves controllers of disks open by their class.
 * Disks may also be attached to others, such as USB.
 */
function unlistedMounts({ reading, blocks }: Disks, devices: readonly PciDevice[]): DiskNeed[] {
  if (reading.system.stat('/proc/self/mountinfo').ok) return []
  const withDisks = functionsWithDisks(blocks)
  const others = devices.filter(
    (one) => withDisks.has(one.address) && !['storage', 'nvme'].includes(deviceClass(one)),
  )
  const couldBe = others.map(({ address }) => address)
  const why = 'the input has no list of mounts'
  const ends: End[] = [{ to: 'lost', chain: [], lost: '/proc/self/mountinfo', why, couldBe }]
  return couldBe.length === 0 ? [] : [{ start: vital('what the host has mounted'), ends, top: [] }]
}

/** In a container that cannot see the processes of the host, the mounts of the host are unknown. */
function hiddenMounts({ contained }: Disks): DiskNeed[] {
  if (contained.mounts !== 'hidden') return []
  const why = 'handover runs in a container, from which the mounts of the host cannot be seen'
  const ends: End[] = [{ to: 'lost', chain: [], lost: 'mounts of the host', why }]
  return [{ start: vital('what the host has mounted'), ends, top: [] }]
}

function mountNeeds(disks: Disks): DiskNeed[] {
  const needs: DiskNeed[] = []
  const done = new Set<string>()
  for (const { mounts, of } of mountLists(disks)) {
    // The shortest mount point of a device represents its bind mounts, of which there may be hundreds.
    for (const mount of mounts.toSorted(byPoint)) {
      const key = keyOf(mount)
      if (isInMemory(mount) || done.has(key)) continue
      done.add(key)
      const start = vital(`${mount.point}${of}`, of === '' ? mount.point : undefined)
      needs.push({ start, ends: disks.mountEnds(mount), top: blocksOf(disks.namer, mounts, mount) })
    }
  }
  // The layers of containers are on file systems that are listed themselves.
  const own = new Set(needs.filter(({ top }) => top.length > 0).flatMap(({ ends }) => ends.map(deviceOf)))
  return needs.filter(
    ({ start, top, ends }) =>
      top.length > 0 || start.mountPoint === '/' || !ends.every((end) => own.has(deviceOf(end))),
  )
}

function byPoint(a: Mount, b: Mount): number {
  if (a.point.length !== b.point.length) return a.point.length - b.point.length
  return a.point < b.point ? -1 : a.point === b.point ? 0 : 1
}

function deviceOf(end: End): string {
  return end.to === 'function' ? end.device : end.to === 'lost' ? `${end.lost} ${end.why}` : ''
}

function mountLists({ namespaces }: Disks): { readonly mounts: readonly Mount[]; readonly of: string }[] {
  const others = namespaces.others.map(({ mounts, process }) => ({ mounts, of: ` of process ${process}` }))
  return [{ mounts: namespaces.own, of: '' }, ...others]
}

/** Mounts of one btrfs or pool share a source; layered file systems differ in their layers. */
function keyOf({ number, type, source, options }: Mount): string {
  if (!number.startsWith('0:')) return number
  if (type === 'zfs') return `zfs ${source.split('/')[0] ?? ''}`
  return /^(?:overlay|aufs|unionfs|fuse)/.test(type)
    ? JSON.stringify([type, source, options])
    : `${type} ${source}`
}

function swapNeeds(disks: Disks): DiskNeed[] {
  return swapPaths(disks.reading).map((path) => ({
    start: vital('swap'),
    ends: disks.fileEnds(path),
    top: nameOf(disks, path),
  }))
}

function nameOf({ namer }: Disks, path: string): string[] {
  const found = path.startsWith('/dev/') ? findDevice(namer, path) : undefined
  return found?.is === 'block' ? [found.name] : []
}

function poolNeeds(disks: Disks): DiskNeed[] {
  return [...disks.pools].map((pool) => ({
    start: vital(`ZFS pool ${pool}`),
    ends: disks.zfs.endsOf(pool),
    top: [...disks.zfs.membersOf(pool)],
  }))
}

/**
 * A journal on its own device has a folder with the name of that device; an internal journal adds its inode
 * (fs/jbd2/journal.c).
 */
function journalNeeds({ reading, blocks, stack }: Disks): DiskNeed[] {
  return namesInSource(reading, '/proc/fs/jbd2').flatMap((name): DiskNeed[] => {
    const around = /^(.*)-\d+$/.exec(name)?.[1]
    const isInside = !blocks.byName.has(name) && around !== undefined && blocks.byName.has(around)
    return isInside
      ? []
      : [{ start: vital('journal of a mounted file system'), ends: stack.endsOf(name), top: [name] }]
  })
}

function exportNeeds(disks: Disks): DiskNeed[] {
  return readExports(disks.reading).map(({ what, path, number }) => {
    const found = number === undefined ? undefined : findByNumber(disks.namer, number)
    const lost: End = { to: 'lost', chain: [], lost: what, why: 'nothing says what it exports' }
    const ends =
      path !== undefined ? disks.fileEnds(path) : found ? disks.foundEnds(found, number ?? '') : [lost]
    return { start: vital(what), ends, top: path === undefined ? [] : nameOf(disks, path) }
  })
}

function namedNeeds(disks: Disks): DiskNeed[] {
  const { reading, namespaces } = disks
  const folders = readDumpFolders(reading).flatMap(({ what, path }): DiskNeed[] => {
    const mount = mountOf(namespaces.own, path)
    const start: NeedStart = { kind: 'disk', what, weight: 'spoken-for' }
    return mount ? [{ start, ends: disks.mountEnds(mount), top: [] }] : []
  })
  return [
    ...[...readNamedDisks(reading), ...readBootArguments(reading)].flatMap((one) => namedNeed(disks, one)),
    ...folders,
  ]
}

function namedNeed(disks: Disks, { what, names, weight, point, mapping }: NamedDisk): DiskNeed[] {
  const all = names.flatMap((name) => {
    const found = foundOf(disks, name)
    return found ? [{ name, found }] : []
  })
  const best = all.find(({ found }) => found.is === 'block') ?? all[0]
  if (best === undefined || (best.found.is === 'lost' && isInUse(disks, { point, mapping }))) return []
  const { name, found } = best
  const top = found.is === 'block' ? [found.name, ...alikeBtrfs(disks, found.name)] : []
  const ends =
    found.is === 'block' ? top.flatMap((one) => disks.stack.endsOf(one)) : disks.foundEnds(found, name)
  return [{ start: { kind: 'disk', what, weight }, ends, top }]
}

/** The disk is mounted or unlocked, so its need is followed from there even if its name leads nowhere. */
function isInUse(
  { namespaces, namer, blocks }: Disks,
  { point, mapping }: { readonly point: string | undefined; readonly mapping: string | undefined },
): boolean {
  if (point !== undefined && namespaces.own.some((mount) => mount.point === point && mount.type !== 'autofs'))
    return true
  if (mapping === undefined) return false
  const found = findDevice({ ...namer, crypttab: new Map() }, `/dev/mapper/${mapping}`)
  return found.is === 'block' && blocks.byName.get(found.name)?.name.startsWith('dm-') === true
}

function foundOf({ namer }: Disks, name: string): Found | undefined {
  const path = pathOfName(name)
  if (path !== undefined) return findDevice(namer, path)
  const number = numberOfName(name)
  return number === undefined ? undefined : findByNumber(namer, number)
}

/** Members of a btrfs that is not mounted share its id. */
function alikeBtrfs({ namer }: Disks, name: string): string[] {
  const own = namer.udev().get(name)?.properties
  const id = own?.get('ID_FS_TYPE') === 'btrfs' ? own.get('ID_FS_UUID') : undefined
  if (id === undefined) return []
  return [...namer.udev()].flatMap(([one, { properties }]) =>
    one !== name && properties.get('ID_FS_UUID') === id ? [one] : [],
  )
}

function bootNeeds(disks: Disks, devices: readonly PciDevice[]): DiskNeed[] {
  return readBootDisks(disks.reading, devices).map((boot) => bootNeed(disks, boot))
}

function bootNeed(disks: Disks, { what, partition, table, sectors, device, lost }: BootDisk): DiskNeed {
  const start = vital(what)
  if (device !== undefined) return { start, ends: [{ to: 'function', chain: [], device }], top: [] }
  if (lost !== undefined)
    return { start, ends: [{ to: 'lost', chain: [], lost: lost.name, why: lost.why }], top: [] }
  if (partition === undefined) return { start, ...biosDisk(disks, table ?? '', sectors) }
  const named = namedNeed(disks, { what, names: [partition], weight: 'vital' })
  return named[0] ? { ...named[0], start } : { start, ends: [], top: [] }
}

/**
 * A composed device (a logical volume, an array, an unlocked volume, a bcache) and a loop device are in use
 * as soon as they are active. Devices below other needs are already reported.
 */
function activeNeeds({ reading, blocks, stack }: Disks, others: readonly DiskNeed[]): DiskNeed[] {
  const told = new Set(others.flatMap(({ top }) => top.flatMap((name) => [...stack.below(name)])))
  const needs: DiskNeed[] = []
  for (const name of stack.tops()) {
    if (told.has(name) || isIdle(reading, blocks.byName.get(name)?.folder)) continue
    const what = `${stack.shownName(name)}, which is active`
    needs.push({ start: vital(what), ends: stack.endsOf(name), top: [name], isActiveOnly: true })
  }
  return needs
}

/** A loop device without a file or a map without a table is empty. */
function isIdle(reading: Reading, folder: string | undefined): boolean {
  return folder !== undefined && textOf(reading, `${folder}/size`) === '0'
}
