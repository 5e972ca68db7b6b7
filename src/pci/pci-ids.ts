/**
 * Names from the text of pci.ids (the distribution's file), found by searching, not by parsing: the file has
 * some 40,000 lines and a machine needs a few dozen. It keeps no list of its own; without the file see
 * class-code.ts.
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
  // As the file comes, with a comment at its head and a newline at its end, it needs no copy with newlines
  // around it.
  const whole = plain.startsWith('#') && plain.endsWith('\n') ? plain : `\n${plain}\n`
  return { text: whole, classes: whole.slice(Math.max(0, whole.lastIndexOf('\nC 00  '))), blocks: new Map() }
}

const id16 = /^[0-9a-f]{4}$/

/** Where the line `heading` and two blanks begins, or -1. */
function findLine(text: string, heading: string): number {
  if (text.startsWith(`${heading}  `)) return 0
  // Needles of seven characters and more are searched by skipping, which newlines and blanks defeat: four
  // times as slow.
  const needle = `\n${heading}`
  let before = text.indexOf(needle)
  while (before >= 0 && !text.startsWith('  ', before + needle.length))
    before = text.indexOf(needle, before + 1)
  return before < 0 ? -1 : before + 1
}

/**
 * By depth of the heading, the newline its entry ends at: the next line is not deeper, no comment and not
 * empty.
 */
const entryEnds = [/\n(?![\t#\n])/g, /\n(?!\t\t|[#\n])/g] as const

/**
 * Entry `heading` (with its indent) in `body`: the rest of its line, and what stands below it with a deeper
 * indent.
 */
function findBlock(body: string, heading: string, depth: 0 | 1): Block | undefined {
  const line = findLine(body, heading)
  if (line < 0) return undefined
  const nameStart = line + heading.length + 2
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
  if (!id16.test(vendorId)) return undefined
  return blockOf(ids, vendorId, () => findBlock(ids.text, vendorId, 0))
}

function deviceBlock(ids: PciIds, vendorId: string, deviceId: string): Block | undefined {
  const vendor = vendorBlock(ids, vendorId)
  if (!vendor || !id16.test(deviceId)) return undefined
  return blockOf(ids, `${vendorId}:${deviceId}`, () => findBlock(vendor.body, `\t${deviceId}`, 1))
}

export function findVendorName(ids: PciIds, vendorId: string): string | undefined {
  return vendorBlock(ids, vendorId)?.name
}

export function findDeviceName(ids: PciIds, vendorId: string, deviceId: string): string | undefined {
  return deviceBlock(ids, vendorId, deviceId)?.name
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
