/**
 * Parses /etc/zfs/zpool.cache, the pools that ZFS imports automatically: a packed list of names and values in
 * XDR encoding (module/nvpair/nvpair.c). Each pool has a `vdev_tree`; its leaves name their device by path
 * and by number (`guid`).
 */

export type CachedVdev = { readonly path: string; readonly guid?: string }
/** By the name of the pool. */
export type CachedPools = ReadonlyMap<string, readonly CachedVdev[]>

type Value = string | bigint | Pairs | readonly Pairs[] | undefined
type Pairs = ReadonlyMap<string, Value>

/** The values of DATA_TYPE_* (sys/nvpair.h) that are read. Pairs of other types are skipped by their size. */
const uint64 = 8
const text = 9
const list = 19
const lists = 20

const deepest = 24

/** `undefined` if the file has another format or is cut off. */
export function parseZpoolCache(bytes: Uint8Array): CachedPools | undefined {
  // The first four bytes: encoding (1: XDR), byte order, two reserved bytes.
  if (bytes.length < 12 || bytes[0] !== 1) return undefined
  const cursor: Cursor = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 4 }
  const pools = readPairs(cursor, 0)
  if (pools === undefined) return undefined
  const found = new Map<string, readonly CachedVdev[]>()
  for (const [name, config] of pools) {
    const tree = config instanceof Map ? (config as Pairs).get('vdev_tree') : undefined
    const leaves: CachedVdev[] = []
    collectLeaves(tree, leaves, 0)
    found.set(name, leaves)
  }
  return found
}

type Cursor = { readonly view: DataView; at: number }

function readPairs(cursor: Cursor, depth: number): Pairs | undefined {
  if (depth > deepest) return undefined
  // Version and flags.
  cursor.at += 8
  const pairs = new Map<string, Value>()
  for (;;) {
    const start = cursor.at
    const size = readInt(cursor)
    const decoded = readInt(cursor)
    if (size === undefined || decoded === undefined) return undefined
    if (size === 0 && decoded === 0) return pairs
    const name = readText(cursor)
    const type = readInt(cursor)
    const count = readInt(cursor)
    if (name === undefined || type === undefined || count === undefined || size < 8) return undefined
    const value = readValue(cursor, type, count, depth)
    if (value === null) return undefined
    pairs.set(name, value)
    // The size leads to the next pair. It must never lead backwards.
    if (start + size < start + 8 || start + size > cursor.view.byteLength) return undefined
    cursor.at = start + size
  }
}

/** `null` if the file is damaged. */
function readValue(cursor: Cursor, type: number, count: number, depth: number): Value | null {
  if (type === uint64) return readLong(cursor) ?? null
  if (type === text) return readText(cursor) ?? null
  if (type === list) return readPairs(cursor, depth + 1) ?? null
  if (type !== lists) return undefined
  const found: Pairs[] = []
  for (let index = 0; index < count; index++) {
    const pairs = index < 4096 ? readPairs(cursor, depth + 1) : undefined
    if (pairs === undefined) return null
    found.push(pairs)
  }
  return found
}

function readInt(cursor: Cursor): number | undefined {
  if (cursor.at + 4 > cursor.view.byteLength) return undefined
  const value = cursor.view.getInt32(cursor.at)
  cursor.at += 4
  return value < 0 ? undefined : value
}

function readLong(cursor: Cursor): bigint | undefined {
  if (cursor.at + 8 > cursor.view.byteLength) return undefined
  const value = cursor.view.getBigUint64(cursor.at)
  cursor.at += 8
  return value
}

/** Length, bytes, and zeros up to a multiple of four. */
function readText(cursor: Cursor): string | undefined {
  const length = readInt(cursor)
  if (length === undefined || length > 65_536 || cursor.at + length > cursor.view.byteLength) return undefined
  const bytes = new Uint8Array(cursor.view.buffer, cursor.view.byteOffset + cursor.at, length)
  cursor.at += Math.ceil(length / 4) * 4
  return new TextDecoder().decode(bytes)
}

/** The disks and files at the leaves of the tree. Holes and removed vdevs have none. */
function collectLeaves(tree: Value, leaves: CachedVdev[], depth: number): void {
  if (!(tree instanceof Map) || depth > deepest) return
  const pairs = tree as Pairs
  const path = pairs.get('path')
  const guid = pairs.get('guid')
  if (typeof path === 'string' && (pairs.get('type') === 'disk' || pairs.get('type') === 'file'))
    leaves.push({ path, ...(typeof guid === 'bigint' ? { guid: guid.toString() } : {}) })
  for (const key of ['children', 'l2cache', 'spares']) {
    const below = pairs.get(key)
    if (Array.isArray(below))
      for (const child of below as readonly Pairs[]) collectLeaves(child, leaves, depth + 1)
  }
}
