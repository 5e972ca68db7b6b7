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
type Block = { readonly name: string; readonly body: string; children?: ReadonlyMap<string, number> }

export type PciIds = {
  readonly text: string
  /** Blocks already found, keyed by their heading; grows with use. */
  readonly blocks: Map<string, Block | undefined>
}

export function openPciIds(text: string): PciIds {
  const plain = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text
  return { text: `\n${plain}\n`, blocks: new Map() }
}

/**
 * Entry `heading` (with its indent) in `body`: the rest of its line, and what stands below it with a deeper indent.
 * Lines are walked by their first characters: a pattern would look at every character of a maker's 10,000 lines.
 */
function findBlock(body: string, heading: string, depth: number): Block | undefined {
  const start = body.indexOf(`\n${heading}  `)
  if (start < 0) return undefined
  const nameStart = start + heading.length + 3
  const lineEnd = body.indexOf('\n', nameStart)
  let end = lineEnd
  while (end >= 0 && end + 1 < body.length && isBelow(body, end + 1, depth)) end = body.indexOf('\n', end + 1)
  return { name: body.slice(nameStart, lineEnd).trim(), body: body.slice(lineEnd, end < 0 ? body.length : end + 1) }
}

const tab = 9
const hash = 35
const newline = 10

/** Deeper than `depth` tabs, or a comment or empty line, which ends nothing. */
function isBelow(body: string, at: number, depth: number): boolean {
  const first = body.charCodeAt(at)
  if (first === hash || first === newline) return true
  for (let i = 0; i <= depth; i += 1) if (body.charCodeAt(at + i) !== tab) return false
  return true
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
  return blockOf(ids, `${vendorId}:${deviceId}`, () => {
    vendor.children ??= childrenOf(vendor.body)
    const at = vendor.children.get(deviceId)
    return at === undefined ? undefined : findBlock(vendor.body.slice(at, at + deviceRoom), `\t${deviceId}`, 1)
  })
}

/** A device's entry with its subsystems: the longest today is some 12 KB. */
const deviceRoom = 65_536

/** Where each device of a maker begins: one walk over its lines serves all its functions on a server. */
function childrenOf(body: string): ReadonlyMap<string, number> {
  const children = new Map<string, number>()
  for (let end = 0; end >= 0; end = body.indexOf('\n', end + 1)) {
    if (body.charCodeAt(end + 1) !== tab || body.charCodeAt(end + 2) === tab) continue
    const id = body.slice(end + 2, end + 6)
    if (!children.has(id)) children.set(id, end)
  }
  return children
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
  const block = blockOf(ids, `C ${base}`, () => findBlock(ids.text, `C ${base}`, 0))
  if (!block) return undefined
  return blockOf(ids, `C ${base} ${sub}`, () => findBlock(block.body, `\t${sub}`, 1))?.name ?? block.name
}

/** `Intel Corporation I350 Gigabit Network Connection`, as lspci joins them; only what is found. */
export function findFullName(ids: PciIds, vendorId: string, deviceId: string): string | undefined {
  const vendor = findVendorName(ids, vendorId)
  if (vendor === undefined) return undefined
  return `${vendor} ${findDeviceName(ids, vendorId, deviceId) ?? `Device ${deviceId}`}`
}
