/** Compact id lists for the quirk tables: `'10c6 a110-a11f'` = those ids and ranges, hex, inclusive. */

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

/** More kinds of device than any machine has; beyond that the list is emptied. */
const mostKinds = 4096

/**
 * Remembers an answer per vendor and device id: a machine has many functions of few kinds, and every table is
 * asked about each of them several times.
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
export function byVendor<Row extends { readonly vendor: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, Row[]> {
  const map = new Map<string, Row[]>()
  for (const row of rows) {
    const list = map.get(row.vendor)
    if (list) list.push(row)
    else map.set(row.vendor, [row])
  }
  return map
}
