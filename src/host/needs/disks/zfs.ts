/**
 * Finds the imported ZFS pools and their members. ZFS has no `slaves/` in sysfs. The labels in the udev
 * database and /etc/zfs/zpool.cache name the members, and neither is complete. The label of a cache or spare
 * device has no pool name (module/zfs/vdev_label.c, `vdev_label_generate`).
 */
import { bytesOf, type Reading } from '../../read/reading.ts'
import type { Block } from './blocks.ts'
import { findDevice, type Namer } from './device-path.ts'
import type { End } from '../ends.ts'
import type { Mount } from './mounts.ts'
import { namesInSource } from '../sources.ts'
import { decodeUdev, type UdevRecord } from './udev.ts'
import { parseZpoolCache, type CachedPools, type CachedVdev } from './zpool-cache.ts'

/**
 * The pools of mounted file systems, and those in the kernel's list (a pool can be imported with nothing
 * mounted).
 */
export function readPools(reading: Reading, mounts: readonly Mount[]): Set<string> {
  const pools = new Set<string>()
  for (const { type, source } of mounts) if (type === 'zfs') pools.add(source.split('/')[0] ?? '')
  const folder = '/proc/spl/kstat/zfs'
  for (const name of namesInSource(reading, folder)) {
    const isPool = ['state', 'guid', 'io', 'txgs'].some((file) =>
      isThere(reading, `${folder}/${name}/${file}`),
    )
    if (isPool) pools.add(name)
  }
  pools.delete('')
  return pools
}

/** Folders of counters that are not of a pool have none of these files. */
function isThere(reading: Reading, path: string): boolean {
  const result = reading.system.readText(path)
  return result.ok || result.reason !== 'absent'
}

export type ZfsContext = {
  readonly namer: Namer
  readonly block: (name: string) => readonly End[]
  readonly file: (path: string) => readonly End[]
  /** Devices with another known use. */
  readonly isUsed: (name: string) => boolean
}

export type Zfs = {
  /** Kernel names of the known members. */
  readonly membersOf: (pool: string) => ReadonlySet<string>
  readonly endsOf: (pool: string) => readonly End[]
}

export function readZfs(context: ZfsContext): Zfs {
  let cache: CachedPools | undefined | null = null
  const cached = (pool: string): readonly CachedVdev[] | undefined => {
    if (cache === null) {
      const bytes = bytesOf(context.namer.reading, '/etc/zfs/zpool.cache', 4 << 20)
      cache = bytes === undefined ? undefined : parseZpoolCache(bytes)
    }
    return cache?.get(pool)
  }
  return {
    membersOf: (pool) => knownMembers(context, pool, cached(pool) ?? []).members,
    endsOf: (pool) => poolEnds(context, pool, cached(pool)),
  }
}

type Known = {
  readonly members: ReadonlySet<string>
  readonly files: readonly string[]
  readonly unknown: readonly string[]
}

function knownMembers({ namer }: ZfsContext, pool: string, vdevs: readonly CachedVdev[]): Known {
  const members = new Set<string>()
  const byGuid = new Map<string, string>()
  for (const [name, record] of namer.udev()) {
    if (record.properties.get('ID_FS_TYPE') !== 'zfs_member') continue
    if (isLabelled(record, pool)) members.add(name)
    const guid = record.properties.get('ID_FS_UUID_SUB')
    if (guid !== undefined) byGuid.set(guid, name)
  }
  const labelled = members.size
  const files: string[] = []
  const unknown: string[] = []
  for (const { path, guid } of vdevs) {
    const found = path.startsWith('/dev/') ? findDevice(namer, path) : undefined
    const name = found?.is === 'block' ? found.name : byGuid.get(guid ?? '')
    if (name !== undefined) members.add(name)
    else if (found === undefined) files.push(path)
    else unknown.push(path)
  }
  // If the pool has as many labelled devices as its list has entries, the names that lead nowhere belong to
  // labelled devices.
  return { members, files, unknown: labelled >= vdevs.length - files.length ? [] : unknown }
}

function isLabelled({ properties }: UdevRecord, pool: string): boolean {
  const exact = properties.get('ID_FS_LABEL_ENC')
  return exact === undefined ? properties.get('ID_FS_LABEL') === pool : decodeUdev(exact) === pool
}

function poolEnds(
  context: ZfsContext,
  pool: string,
  vdevs: readonly CachedVdev[] | undefined,
): readonly End[] {
  const { members, files, unknown } = knownMembers(context, pool, vdevs ?? [])
  const ends = [
    ...[...members].flatMap((name) => context.block(name)),
    ...files.flatMap((path) => context.file(path)),
  ]
  const lost = unknown.map((path) => lostAt(path, 'this member of the pool is not shown'))
  if (members.size + files.length === 0)
    return [
      lostAt(`pool ${pool}`, 'neither the udev database nor /etc/zfs/zpool.cache says on which disks it is'),
    ]
  const isListed = vdevs !== undefined && vdevs.length > 0
  return [...ends, ...lost, ...maybeMembers(context, members, isListed)]
}

/**
 * Devices that may belong to an imported pool. If the pool's list is known, these are the devices whose label
 * names no pool. Otherwise they include the devices that udev did not examine or could not identify.
 */
function maybeMembers(context: ZfsContext, members: ReadonlySet<string>, isListed: boolean): End[] {
  const { blocks, udev } = context.namer
  const parted = new Set([...blocks.byName.values()].map(({ disk }) => disk))
  return [...blocks.byName.values()].flatMap((block) => {
    if (members.has(block.name) || !isDisk(block) || context.isUsed(block.name)) return []
    const record = udev().get(block.name)
    const why =
      record === undefined
        ? isListed || parted.has(block.name)
          ? undefined
          : 'udev knows nothing of it'
        : doubtOf(record)
    if (why === undefined) return []
    const couldBe = context.block(block.name).flatMap((end) => (end.to === 'function' ? [end.device] : []))
    return [{ ...lostAt(block.name, why), couldBe: [...new Set(couldBe)] }]
  })
}

function doubtOf({ properties }: UdevRecord): string | undefined {
  const ambivalent = properties.get('ID_FS_AMBIVALENT')
  if (ambivalent?.includes('zfs_member') === true) return 'its labels contradict each other'
  if (properties.get('ID_FS_TYPE') !== 'zfs_member' || properties.has('ID_FS_LABEL')) return undefined
  return 'its label names no pool, as those of cache and spare devices'
}

function isDisk({ name }: Block): boolean {
  return !/^(?:loop|ram|zram|nbd|sr|fd|zd)\d|^nvme\d+c\d+n\d+/.test(name)
}

function lostAt(lost: string, why: string): Extract<End, { to: 'lost' }> {
  return { to: 'lost', chain: [], lost, why }
}

/**
 * The pool of a volume, from udev's link `zvol/tank/vm-1`. Without the link, any imported pool may hold the
 * volume.
 */
export function poolsOfVolume(namer: Namer, block: Block, imported: ReadonlySet<string>): readonly string[] {
  const name = block.disk ?? block.name
  const links = namer.udev().get(name)?.links ?? []
  const pool = links
    .map((link) => /^(?:zvol\/)?([^/]+)\//.exec(link.startsWith('zvol/') ? link : '')?.[1])
    .find(Boolean)
  const known = pool === undefined ? undefined : decodeUdev(pool)
  return known !== undefined && imported.has(known) ? [known] : [...imported]
}
