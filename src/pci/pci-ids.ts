/**
 * Names from the text of pci.ids (the distribution's file), found by searching, not by parsing: the file has some 40,000 lines
 * and a machine needs a few dozen. It keeps no list of its own; without the file see class-code.ts.
 *
 *     8086  Intel Corporation
 *     	1521  I350 Gigabit Network Connection
 *     		8086 0001  Ethernet Server Adapter I350-T4
 *     C 02  Network controller
 *     	00  Ethernet controller
 */

/** A region of the text holding one entry's children; searched again and again, so found once. */
type Block = { readonly name: string; readonly body: string }

export type PciIds = {
  /** One character per byte of UTF-8: searching and slicing that is several times faster than wide text. */
  readonly text: string
  /** Where the classes are, which stand at the end of the file; the whole text if they are not found. */
  readonly classes: string
  /** Blocks already found, keyed by their heading; grows with use. */
  readonly blocks: Map<string, Block | undefined>
}

export function openPciIds(source: string | Uint8Array): PciIds {
  const bytes = typeof source === 'string' ? Buffer.from(source) : source
  return openText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
}

/** `text` has one character per byte. */
function openText(text: string): PciIds {
  const plain = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text
  // As the file comes, with a comment at its head and a newline at its end, it needs no copy with newlines around it.
  const whole = plain.startsWith('#') && plain.endsWith('\n') ? plain : `\n${plain}\n`
  return { text: whole, classes: whole.slice(Math.max(0, whole.lastIndexOf('\nC 00  '))), blocks: new Map() }
}

/**
 * What of the file some vendors and the classes need, gathered from pieces of whole lines: `take` looks at each piece in turn,
 * `open` is for when all have been. Of a megabyte and a half a machine needs a few pieces.
 */
export function gatherPciIds(vendorIds: Iterable<string>): {
  readonly take: (piece: Uint8Array) => void
  readonly open: () => PciIds
} {
  const wanted = new Set([...vendorIds].filter((id) => /^[0-9a-f]{4}$/.test(id)))
  const kept: string[] = []
  /** The last entry kept may go on in the next piece. */
  let goesOn = false
  let isAtClasses = false
  const keep = (bytes: Buffer): void => {
    if (bytes.length > 0) kept.push(bytes.toString('latin1'))
  }
  const take = (piece: Uint8Array): void => {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    if (isAtClasses) return keep(bytes)
    const rest = goesOn ? firstEntry(bytes) : 0
    keep(bytes.subarray(0, rest))
    // From the first one wanted to the end: what stands between two of them does no harm.
    const classes = findEntry(bytes, rest, anyClass)
    const from = Math.min(classes, ...[...wanted].map((id) => findEntry(bytes, rest, id)))
    keep(bytes.subarray(from))
    goesOn = from < bytes.length || rest === bytes.length
    if (from === bytes.length) return
    for (const id of wanted) if (findEntry(bytes, from, id) < bytes.length) wanted.delete(id)
    isAtClasses = classes < bytes.length
  }
  return { take, open: () => openText(kept.join('')) }
}

/** Classes are the last entries of the file (`C 02  Network controller`). */
const anyClass = 'C '

/** Where the first entry without indent begins, or the end. */
function firstEntry(bytes: Buffer): number {
  const text = bytes.toString('latin1')
  if (/^[^\t#\r\n]/.test(text)) return 0
  const before = text.search(/\n[^\t#\r\n]/)
  return before < 0 ? bytes.length : before + 1
}

/** Where the entry of a vendor, or the first class, begins, or the end. */
function findEntry(bytes: Buffer, from: number, heading: string): number {
  // Needles of seven bytes and more are searched by skipping, which newlines and blanks defeat (see findBlock).
  const length = heading === anyClass ? 6 : heading.length + 2
  const isHeading = (at: number): boolean => {
    const found = bytes.toString('latin1', at, at + length)
    return found.startsWith(heading) && found.endsWith('  ')
  }
  if (isHeading(from)) return from
  let before = bytes.indexOf(`\n${heading}`, from, 'latin1')
  while (before >= 0 && !isHeading(before + 1)) before = bytes.indexOf(`\n${heading}`, before + 1, 'latin1')
  return before < 0 ? bytes.length : before + 1
}

/** By depth of the heading, the newline its entry ends at: the next line is not deeper, no comment and not empty. */
const entryEnds = [/\n(?![\t#\n])/g, /\n(?!\t\t|[#\n])/g, /\n(?!\t\t\t|[#\n])/g] as const

/** Entry `heading` (with its indent) in `body`: the rest of its line, and what stands below it with a deeper indent. */
function findBlock(body: string, heading: string, depth: 0 | 1 | 2): Block | undefined {
  // Needles of seven characters and more are searched by skipping, which newlines and blanks defeat: four times as slow.
  const needle = `\n${heading}`
  let start = body.indexOf(needle)
  while (start >= 0 && !body.startsWith('  ', start + needle.length)) start = body.indexOf(needle, start + 1)
  if (start < 0) return undefined
  const nameStart = start + heading.length + 3
  const lineEnd = body.indexOf('\n', nameStart)
  const entryEnd = entryEnds[depth]
  entryEnd.lastIndex = lineEnd
  const end = entryEnd.exec(body)?.index
  return {
    name: nameOf(body.slice(nameStart, lineEnd)),
    body: body.slice(lineEnd, end === undefined ? body.length : end + 1),
  }
}

function nameOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString().trim()
}

function blockOf(ids: PciIds, key: string, find: () => Block | undefined): Block | undefined {
  if (!ids.blocks.has(key)) ids.blocks.set(key, find())
  return ids.blocks.get(key)
}

function vendorBlock(ids: PciIds, vendorId: string): Block | undefined {
  if (!/^[0-9a-f]{4}$/.test(vendorId)) return undefined
  return blockOf(ids, vendorId, () => findBlock(ids.text, vendorId, 0))
}

function deviceBlock(ids: PciIds, vendorId: string, deviceId: string): Block | undefined {
  const vendor = vendorBlock(ids, vendorId)
  if (!vendor || !/^[0-9a-f]{4}$/.test(deviceId)) return undefined
  return blockOf(ids, `${vendorId}:${deviceId}`, () => findBlock(vendor.body, `\t${deviceId}`, 1))
}

export function findVendorName(ids: PciIds, vendorId: string): string | undefined {
  return vendorBlock(ids, vendorId)?.name
}

export function findDeviceName(ids: PciIds, vendorId: string, deviceId: string): string | undefined {
  return deviceBlock(ids, vendorId, deviceId)?.name
}

/** The card's own name, when the file knows it under this device. */
export function findSubsystemName(
  ids: PciIds,
  device: { readonly vendorId: string; readonly deviceId: string },
  subsystem: { readonly vendorId: string; readonly deviceId: string },
): string | undefined {
  const block = deviceBlock(ids, device.vendorId, device.deviceId)
  if (!block) return undefined
  return findBlock(block.body, `\t\t${subsystem.vendorId} ${subsystem.deviceId}`, 2)?.name
}

/** `020000` → `Ethernet controller`; an unknown subclass falls back to the class. */
export function findClassName(ids: PciIds, classCode: string): string | undefined {
  const [base, sub] = [classCode.slice(0, 2), classCode.slice(2, 4)]
  if (!/^[0-9a-f]{4,6}$/.test(classCode)) return undefined
  const block = blockOf(ids, `C ${base}`, () => findBlock(ids.classes, `C ${base}`, 0))
  if (!block) return undefined
  return blockOf(ids, `C ${base} ${sub}`, () => findBlock(block.body, `\t${sub}`, 1))?.name ?? block.name
}

/** `Intel Corporation I350 Gigabit Network Connection`, as lspci joins them; only what is found. */
export function findFullName(ids: PciIds, vendorId: string, deviceId: string): string | undefined {
  const vendor = findVendorName(ids, vendorId)
  if (vendor === undefined) return undefined
  return `${vendor} ${findDeviceName(ids, vendorId, deviceId) ?? `Device ${deviceId}`}`
}
