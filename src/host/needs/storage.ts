/**
 * The disks the host lives on: every mounted file system and swap, walked down through partitions, LVM, LUKS, md, loop,
 * btrfs, ZFS and NVMe multipath to the PCI functions that carry them (block-stack.ts does the walking).
 */
import type { PciDevice } from '../../pci/device.ts'
import type { HostNeed, LostNeed } from '../host.ts'
import { bytesOf, namesIn, textOf, type Reading } from '../reading.ts'
import { couldCarryDisks } from './could-be.ts'
import type { NeedsRead } from './ends.ts'
import { readNamedDisks } from './named-disks.ts'
import { blockLeaves, blockName, ownersOfDriver, type BlockLeaf } from './block-stack.ts'

export type Mount = {
  readonly point: string
  /** `major:minor` of the device; major 0 for file systems without one device. */
  readonly number: string
  readonly type: string
  readonly source: string
}

export function readStorageNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const mounts = parseMounts(textOf(reading, '/proc/self/mountinfo', 16 << 20) ?? '')
  const needs: HostNeed[] = []
  const lost: LostNeed[] = []
  const add = (start: Pick<HostNeed, 'what' | 'mountPoint'>, leaf: BlockLeaf): void => {
    const redundant = leaf.redundant ? { redundant: leaf.redundant } : {}
    needs.push({ kind: 'disk', ...start, chain: leaf.chain, device: leaf.device, weight: 'vital', ...redundant })
  }
  const lose = (what: string, name: string): void => {
    const couldBe = couldCarryDisks(devices)
    lost.push({ kind: 'disk', what, chain: [], lost: name, why: 'nothing says on which disks it is', couldBe })
  }
  const done = new Set<string>()
  for (const mount of mounts) {
    // Bind mounts repeat a device hundreds of times; the shortest mount point of each speaks for all.
    const key = mount.number.startsWith('0:') ? `${mount.type} ${mount.source}` : mount.number
    if (done.has(key)) continue
    done.add(key)
    const leaves = mountLeaves(reading, mounts, mount)
    if (leaves.length === 0 && !mount.number.startsWith('0:')) lose(mount.point, mount.source)
    for (const leaf of leaves) add({ what: mount.point, mountPoint: mount.point }, leaf)
  }
  for (const area of readSwaps(reading)) {
    for (const leaf of fileOrDeviceLeaves(reading, mounts, area)) add({ what: 'swap' }, leaf)
  }
  for (const pool of readPools(reading, mounts)) {
    const leaves = zfsLeaves(reading, pool)
    if (leaves.length === 0) lose(`ZFS pool ${pool}`, `pool ${pool}`)
    for (const leaf of leaves) add({ what: `ZFS pool ${pool}` }, leaf)
  }
  return { needs: [...needs, ...namedNeeds(reading, mounts, needs)], lost }
}

/** What is in use already is said by that use; the same disk is not told a second time. */
function namedNeeds(reading: Reading, mounts: readonly Mount[], known: readonly HostNeed[]): HostNeed[] {
  const told = new Set(known.map((need) => JSON.stringify([need.chain, need.device])))
  return readNamedDisks(reading).flatMap(({ what, path, weight }) => {
    const leaves = deviceName(reading, path) === undefined ? [] : fileOrDeviceLeaves(reading, mounts, path)
    return leaves
      .filter((leaf) => !told.has(JSON.stringify([leaf.chain, leaf.device])))
      .map((leaf): HostNeed => ({ kind: 'disk', what, weight, ...leaf }))
  })
}

/** Sorted so that the shortest mount point of a device comes first. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const [, , number, , point] = left.split(' ')
    const [type, source] = right.split(' ')
    if (!number || !point || !type || source === undefined) continue
    mounts.push({ point: unescape(point), number, type, source: unescape(source) })
  }
  return mounts.sort((a, b) => a.point.length - b.point.length || (a.point < b.point ? -1 : 1))
}

/** Space, tab, newline and backslash are octal in mountinfo and swaps: `\040`. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function mountLeaves(reading: Reading, mounts: readonly Mount[], mount: Mount, depth = 0): BlockLeaf[] {
  const name = mount.number.startsWith('0:') ? undefined : blockName(reading, mount.number)
  const follow = { backingFile: (path: string) => fileOrDeviceLeaves(reading, mounts, path, depth + 1) }
  if (mount.type === 'btrfs') {
    const members = btrfsMembers(reading, name ?? deviceName(reading, mount.source))
    return severalLeaves(members.map((member) => blockLeaves(reading, member, follow)))
  }
  if (name !== undefined) return blockLeaves(reading, name, follow)
  if (mount.type === 'virtiofs') return ownersOfDriver(reading, 'virtiofs', mount.source)
  if (mount.type === '9p') return ownersOfDriver(reading, '9pnet_virtio', mount.source)
  // Anonymous device numbers: bcachefs and others still name a device file as their source.
  const named = mount.source.split(':').flatMap((part) => deviceName(reading, part) ?? [])
  return severalLeaves(named.map((member) => blockLeaves(reading, member, follow)))
}

/** All members are needed: which of them a profile could lose is not for us to guess. */
function severalLeaves(lists: readonly (readonly BlockLeaf[])[]): BlockLeaf[] {
  return lists.flat()
}

/** `/dev/mapper/vg0-root` is a link to `../dm-0`; without the link (no udev) the dm name is looked up. */
function deviceName(reading: Reading, path: string): string | undefined {
  if (!path.startsWith('/dev/')) return undefined
  const real = reading.system.realPath(path)
  const name = (real.ok ? real.value : path).split('/').at(-1) ?? ''
  if (reading.system.stat(`/sys/class/block/${name}`).ok) return name
  if (!path.startsWith('/dev/mapper/')) return undefined
  return namesIn(reading, '/sys/class/block').find(
    (block) => block.startsWith('dm-') && textOf(reading, `/sys/class/block/${block}/dm/name`) === name,
  )
}

function btrfsMembers(reading: Reading, known: string | undefined): string[] {
  for (const id of namesIn(reading, '/sys/fs/btrfs')) {
    const members = namesIn(reading, `/sys/fs/btrfs/${id}/devices`)
    if (known !== undefined && members.includes(known)) return [...members]
  }
  return known === undefined ? [] : [known]
}

function readSwaps(reading: Reading): string[] {
  const lines = (textOf(reading, '/proc/swaps') ?? '').split('\n').slice(1)
  return lines.flatMap((line) => {
    const path = unescape(line.split(/\s+/)[0] ?? '')
    return path.startsWith('/') && !path.startsWith('/dev/zram') ? [path] : []
  })
}

/** A loop device in a file on a loop device …: deeper than this is a circle. */
const deepest = 4

/** A device file, or a plain file whose file system is looked up by the longest mount point above it. */
function fileOrDeviceLeaves(reading: Reading, mounts: readonly Mount[], path: string, depth = 0): BlockLeaf[] {
  if (depth > deepest) return []
  const name = deviceName(reading, path)
  if (name !== undefined)
    return blockLeaves(reading, name, {
      backingFile: (file) => fileOrDeviceLeaves(reading, mounts, file, depth + 1),
    })
  const mount = mounts.findLast((m) => path === m.point || path.startsWith(m.point === '/' ? '/' : `${m.point}/`))
  if (!mount) return []
  return mountLeaves(reading, mounts, mount, depth + 1).map((leaf) => ({ ...leaf, chain: [path, ...leaf.chain] }))
}

/** Pools by what is mounted, and by the kernel's list (a pool can be imported with nothing mounted). */
function readPools(reading: Reading, mounts: readonly Mount[]): Set<string> {
  const pools = new Set<string>()
  for (const mount of mounts) if (mount.type === 'zfs') pools.add(mount.source.split('/')[0] ?? '')
  for (const name of namesIn(reading, '/proc/spl/kstat/zfs')) {
    if (
      reading.system.stat(`/proc/spl/kstat/zfs/${name}/io`).ok ||
      reading.system.stat(`/proc/spl/kstat/zfs/${name}/state`).ok
    )
      pools.add(name)
  }
  pools.delete('')
  return pools
}

/**
 * ZFS shows no slaves in sysfs. The udev database labels members with their pool; without udev, zpool.cache names the
 * member devices as plain text inside (of all pools, so each counts for each). With neither, it is said, not guessed.
 */
function zfsLeaves(reading: Reading, pool: string): BlockLeaf[] {
  const members = new Set<string>()
  for (const name of namesIn(reading, '/sys/class/block')) {
    const number = textOf(reading, `/sys/class/block/${name}/dev`)
    const udev = number === undefined ? '' : (textOf(reading, `/run/udev/data/b${number}`) ?? '')
    if (/^E:ID_FS_TYPE=zfs_member$/m.test(udev) && /^E:ID_FS_LABEL=(.*)$/m.exec(udev)?.[1] === pool) members.add(name)
  }
  if (members.size === 0) {
    const cache = bytesOf(reading, '/etc/zfs/zpool.cache', 4 << 20)
    const text = cache ? new TextDecoder('latin1').decode(cache) : ''
    for (const match of text.matchAll(/\/dev\/[\x21-\x7e]+/g)) {
      const name = deviceName(reading, match[0])
      if (name !== undefined) members.add(name)
    }
  }
  const leaves = [...members].flatMap((name) => blockLeaves(reading, name, { backingFile: () => [] }))
  if (leaves.length === 0) {
    reading.findings.push({
      code: 'unreadable',
      severity: 'warning',
      message: `the ZFS pool ${pool} is in use, but neither the udev database nor /etc/zfs/zpool.cache says on which disks`,
      help: `run zpool status -LP ${pool} and keep the controllers of those disks`,
    })
  }
  return leaves
}
