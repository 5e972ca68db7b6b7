/**
 * Compact id lists for the quirk tables: `'10c6 a110-a11f'` = those ids and ranges, hex, inclusive. And the kernel versions a
 * row holds for: the tables were read from three kernels (6.1.192, 6.12.117, 7.2.13), so between two of them a row that
 * changed is unknown, and so is every row on a kernel whose version the input does not state.
 */

export type IdList = (id: number) => boolean

export function idList(text: string): IdList {
  if (text === '*') return () => true
  const single = new Set<number>()
  const ranges: (readonly [number, number])[] = []
  for (const item of text.trim().split(/\s+/)) {
    const [from = '', to] = item.split('-')
    if (to === undefined) single.add(Number.parseInt(from, 16))
    else ranges.push([Number.parseInt(from, 16), Number.parseInt(to, 16)])
  }
  if (ranges.length === 0) return (id) => single.has(id)
  // Asked of every function for every row of its maker, and so without a closure for each question.
  return (id) => {
    if (single.has(id)) return true
    for (const range of ranges) if (id >= range[0] && id <= range[1]) return true
    return false
  }
}

/** Major and minor of `uname -r`. */
export type KernelVersion = readonly [number, number]

export function parseKernelVersion(release: string | undefined): KernelVersion | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})/.exec(release ?? '')
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

/** A row that came between two of the kernels read. */
export type Since = { readonly absentIn: KernelVersion; readonly presentIn: KernelVersion }

export function isAtLeast(kernel: KernelVersion, other: KernelVersion): boolean {
  return kernel[0] !== other[0] ? kernel[0] > other[0] : kernel[1] >= other[1]
}

/** True, false, or `undefined` when nobody looked at that kernel. */
export function holdsFor(since: Since | undefined, kernel: KernelVersion | undefined): boolean | undefined {
  if (!since) return true
  if (!kernel) return undefined
  if (isAtLeast(kernel, since.presentIn)) return true
  return isAtLeast(since.absentIn, kernel) ? false : undefined
}

/** Rows by vendor id, in table order. */
export function byVendor<Row extends { readonly vendor: string }>(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const map = new Map<string, Row[]>()
  for (const row of rows) {
    const list = map.get(row.vendor)
    if (list) list.push(row)
    else map.set(row.vendor, [row])
  }
  return map
}
