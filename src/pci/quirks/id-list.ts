/**
 * Compact id lists for the quirk tables: `'10c6 a110-a11f'` = those ids and ranges, hex, inclusive. And the kernel versions a
 * row holds for: the tables were read from three kernels (6.1.192, 6.12.117, 7.2.13), so between two of them a row that
 * changed is unknown, and so is every row on a kernel whose version the input does not state.
 */

export type IdList = (id: number) => boolean

/** Read when it is first asked: most lists are of makers that a machine has nothing of. */
export function idList(text: string): IdList {
  let read: IdList | undefined
  return (id) => (read ??= readIdList(text))(id)
}

function readIdList(text: string): IdList {
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

/** Asked for every function of a host. */
let last: { readonly release: string; readonly version: KernelVersion | undefined } | undefined

export function parseKernelVersion(release: string | undefined): KernelVersion | undefined {
  if (release === undefined) return undefined
  if (last?.release !== release) {
    const match = /^(\d{1,4})\.(\d{1,4})/.exec(release)
    last = { release, version: match ? [Number(match[1]), Number(match[2])] : undefined }
  }
  return last.version
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

/** More kinds of device than any machine has; what asks about more starts anew. */
const mostKinds = 4096

/**
 * Remembers an answer per vendor and device id: a machine has many functions of few kinds, and every table is asked about each
 * of them several times.
 */
export function rememberByIds<Answer>(
  find: (vendorId: string, deviceId: string) => Answer,
): (vendorId: string, deviceId: string) => Answer {
  const known = new Map<string, Map<string, Answer>>()
  let kinds = 0
  return (vendorId, deviceId) => {
    let ofVendor = known.get(vendorId)
    if (ofVendor?.has(deviceId)) return ofVendor.get(deviceId) as Answer
    if (kinds++ === mostKinds) {
      known.clear()
      kinds = 1
      ofVendor = undefined
    }
    const answer = find(vendorId, deviceId)
    if (ofVendor === undefined) known.set(vendorId, (ofVendor = new Map()))
    ofVendor.set(deviceId, answer)
    return answer
  }
}

/** The rows that list a device, in table order. */
export function rowsByIds<Row extends { readonly vendor: string; readonly devices: IdList }>(
  rows: readonly Row[],
): (vendorId: string, deviceId: string) => readonly Row[] {
  const table = byVendor(rows)
  const none: readonly Row[] = []
  return rememberByIds((vendorId, deviceId) => {
    const id = Number.parseInt(deviceId, 16)
    return table.get(vendorId)?.filter((row) => row.devices(id)) ?? none
  })
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
