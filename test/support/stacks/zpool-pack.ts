/** /etc/zfs/zpool.cache as ZFS packs it (XDR): what zpool-cache.ts reads, written. */
export type PackedPool = {
  readonly name: string
  readonly vdevs: readonly { readonly path: string; readonly guid: number }[]
}

export function packPools(pools: readonly PackedPool[]): Uint8Array {
  const pairs = pools.map(({ name, vdevs }) => {
    const leaves = vdevs.map(({ path, guid }) =>
      list([pair('type', 9, text('disk')), pair('guid', 8, long(guid)), pair('path', 9, text(path))]),
    )
    const mirror = list([pair('type', 9, text('mirror')), pair('children', 20, leaves.flat(), leaves.length)])
    const root = list([pair('type', 9, text('root')), pair('children', 20, mirror)])
    return pair(
      name,
      19,
      list([pair('version', 8, long(5000)), pair('name', 9, text(name)), pair('vdev_tree', 19, root)]),
    )
  })
  return Uint8Array.from([1, 1, 0, 0, ...list(pairs)])
}

function int(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function long(value: number): number[] {
  return [...int(0), ...int(value)]
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)]
  return [...int(bytes.length), ...bytes, ...Array.from({ length: (4 - (bytes.length % 4)) % 4 }, () => 0)]
}

function pair(name: string, type: number, value: readonly number[], count = 1): number[] {
  const body = [...text(name), ...int(type), ...int(count), ...value]
  return [...int(body.length + 8), ...int(body.length + 40), ...body]
}

function list(pairs: readonly (readonly number[])[]): number[] {
  return [...int(0), ...int(1), ...pairs.flat(), ...int(0), ...int(0)]
}
