/**
 * Parses the first line of a function in lspci's output, wherever it is: alone, after `IOMMU Group 12`, in
 * the output of a script, in a log. It finds the address and distinguishes an lspci line from any other line
 * with an address.
 *
 *   00:1f.2 SATA controller [0106]: Intel Corporation Some Controller [AHCI mode] [8086:8c02] (rev 05) (prog-if 01 [AHCI 1.0])
 *   00:1f.2 SATA controller: Intel Corporation Some Controller (rev 05)        (plain)
 *   00:1f.2 0106: 8086:8c02 (rev 05)                                           (-n; `Class 0106:` before pciutils 3)
 */
import { defined } from '../../base/defined.ts'
import { hex } from '../../pci/hex.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import { classFromWords } from './class-words.ts'

export type HeaderLine = {
  readonly address: PciAddress
  /** The bridges before the address in `lspci -PP`, outermost first. */
  readonly via: readonly PciAddress[]
  /** The text before the address (a group, a mark, a time); `after` is the text after it. */
  readonly before: string
  readonly after: string
  readonly className?: string
  /** Four digits, or six with the programming interface. */
  readonly classCode?: string
  readonly vendorId?: string
  readonly deviceId?: string
  readonly revision?: string
  readonly progIf?: string
  readonly name?: string
  /**
   * The driver on the same line, as scripts print it: `… [8086:1539] (rev 03) Driver: igb`; `null` for
   * `none`.
   */
  readonly driver?: string | null
  /**
   * `ids`: class and ids in brackets or numbers, certainly lspci; `words`: class and name only; `bare`: an
   * address with other text.
   */
  readonly shape: 'ids' | 'words' | 'bare'
  /** `[0604]: …` without `[8086:1234]`: the ids are missing or on the next line. */
  readonly idsMissing?: boolean
}

const place =
  /(?<![\w:.\-/])((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])((?:\/[0-9a-f]{2}:[01][0-9a-f]\.[0-7]){0,16})(?![\w.:/-])/i

/**
 * `lspci -P` names a function by its path: `00:1c.0/00.0/04.0`, where only the first step has a bus. Returns
 * the line with the address instead of the path, or `null` if the bus below a bridge is unknown.
 */
export function resolvePlace(
  line: string,
  busBelow: (bridge: PciAddress) => number | undefined,
): string | null | undefined {
  const match =
    /^([\s>#*|;]{0,40})((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])((?:\/[01][0-9a-f]\.[0-7]){1,16})(?=\s)/i.exec(
      line,
    )
  if (!match) return undefined
  let here = parseAddress(match[2] ?? '')
  for (const step of (match[3] ?? '').split('/').slice(1)) {
    const bus = here === undefined ? undefined : busBelow(here)
    if (here === undefined || bus === undefined) return null
    here = parseAddress(`${here.slice(0, -8)}:${hex(bus, 2)}:${step}`)
  }
  return here === undefined ? null : `${match[1] ?? ''}${here}${line.slice(match[0].length)}`
}

export function parseHeader(line: string): HeaderLine | undefined {
  const match = place.exec(line)
  if (!match) return undefined
  const [whole, first = '', more = ''] = match
  const start = parseAddress(first)
  if (start === undefined) return undefined
  const domain = start.slice(0, start.length - 8)
  const steps = [start]
  for (const part of more.split('/').slice(1)) {
    const next = parseAddress(`${domain}:${part}`)
    if (next !== undefined) steps.push(next)
  }
  const address = steps.pop() ?? start
  const before = line.slice(0, match.index)
  // Tables have a bar between the address and its description, CSV has a comma.
  const after = line
    .slice(match.index + whole.length)
    .replace(/^[\s|;,]+/, '')
    .trim()
  return { address, via: steps, before, after, ...describe(before, after) }
}

type Description = Omit<HeaderLine, 'address' | 'via' | 'before' | 'after'>

function describe(before: string, after: string): Description {
  const idsBefore = /\[([0-9a-f]{4}):([0-9a-f]{4})\](?:\s*\[[A-Z]{1,8}\])?\W*$/i.exec(before)
  const ahead = idsBefore ? { vendorId: lower(idsBefore[1]), deviceId: lower(idsBefore[2]) } : {}
  const stated = describeBracketed(after, ahead) ?? describeNumeric(after) ?? describeIdsFirst(after)
  if (stated !== undefined) return stated
  const words = describeWords(after)
  return { ...words, ...ahead, shape: idsBefore ? 'ids' : words.shape }
}

/** `lspci -nn`: `Ethernet controller [0200]: Intel … [8086:10d3]`. */
function describeBracketed(
  after: string,
  ahead: Pick<Description, 'vendorId' | 'deviceId'>,
): Description | undefined {
  const match = /^([^[\]":]{1,80}?) ?\[([0-9a-f]{4})\](?::|(?=\s))\s*(.*)$/i.exec(after)
  if (match === null) return undefined
  const [, className = '', code = '', rest = ''] = match
  const tail = parseTail(rest)
  const idsMissing = tail.vendorId === undefined && ahead.vendorId === undefined
  return {
    className,
    classCode: `${lower(code)}${tail.progIf ?? ''}`,
    ...ahead,
    ...tail,
    shape: 'ids',
    ...(idsMissing ? { idsMissing } : {}),
  }
}

/** `lspci -n`: `0200: 8086:10d3`. */
function describeNumeric(after: string): Description | undefined {
  const match = /^(?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})(?![\w:])(.*)$/i.exec(after)
  if (match === null) return undefined
  const [, code = '', vendor = '', device = '', rest = ''] = match
  const { name: _unnamed, ...tail } = parseTail(rest)
  return {
    ...tail,
    classCode: `${lower(code)}${tail.progIf ?? ''}`,
    vendorId: lower(vendor),
    deviceId: lower(device),
    shape: 'ids',
  }
}

/** Ids before words, as scripts print a function. */
function describeIdsFirst(after: string): Description | undefined {
  const match = /^\[?([0-9a-f]{4}):([0-9a-f]{4})\]?(?![\w:])\s*(.*)$/i.exec(after)
  if (match === null) return undefined
  const [, vendor = '', device = '', rest = ''] = match
  const code = /(?:^|\s)\[([0-9a-f]{4})\](?=[:\s]|$)/i.exec(rest)?.[1]
  return {
    ...describeWords(rest),
    ...(code === undefined ? {} : { classCode: lower(code) }),
    vendorId: lower(vendor),
    deviceId: lower(device),
    shape: 'ids',
  }
}

/**
 * A column of class words, then the name: `VGA compatible controller                TU116 [GeForce GTX 1660
 * SUPER]`.
 */
function describeColumns(after: string): Description | undefined {
  const [, className = '', rest = ''] = /^([A-Z][^:[\]"]{2,60}?) {2,60}(\S.*)$/.exec(after) ?? []
  const classCode = classFromWords(className)
  return classCode === undefined ? undefined : { className, classCode, ...parseTail(rest), shape: 'words' }
}

function describeWords(after: string): Description {
  const columns = describeColumns(after)
  if (columns) return columns
  const words = /^((?:Class )?[A-Z0-9][^:[\]"]{1,79}): (\S.*)$/.exec(after)
  if (!words) {
    const tail = parseTail(after)
    return { ...tail, shape: tail.vendorId === undefined ? 'bare' : 'ids' }
  }
  const [, className = '', rest = ''] = words
  const stated = /^Class ([0-9a-f]{4})$/i.exec(className)?.[1]
  const code = stated ?? classFromWords(className)
  const tail = parseTail(rest)
  const kind = {
    ...(stated === undefined ? { className } : {}),
    ...(code === undefined ? {} : { classCode: `${lower(code)}${tail.progIf ?? ''}` }),
  }
  const isSure = tail.vendorId !== undefined || stated !== undefined
  return { ...kind, ...tail, shape: isSure ? 'ids' : 'words' }
}

/** True if the class is one of lspci's words. */
export function hasClassWords(header: HeaderLine): boolean {
  return header.className !== undefined && classFromWords(header.className) !== undefined
}

type Tail = {
  readonly name?: string
  readonly vendorId?: string
  readonly deviceId?: string
  readonly revision?: string
  readonly progIf?: string
  readonly driver?: string | null
}

/**
 * Parses name, ids, `(rev 05)` and `(prog-if 01 [AHCI 1.0])`. Names may have brackets, so the last
 * `[xxxx:xxxx]` is the ids.
 */
export function parseTail(text: string): Tail {
  const revision = /\(rev ([0-9a-f]{2})\)/i.exec(text)?.[1]
  const progIf = /\(prog-if ([0-9a-f]{2})\b/i.exec(text)?.[1]
  let ids: RegExpExecArray | undefined
  for (const found of text.matchAll(/\[([0-9a-f]{4}):([0-9a-f]{4})\]/gi)) {
    // `[10de:1b80] [1458:3702]`: some scripts print the subsystem after the ids.
    if (ids && text.slice(ids.index + 11, found.index).trim() === '') break
    ids = found
  }
  const driver = parseDriver(ids ? text.slice(ids.index + 11) : text)
  const cut = ids?.index ?? text.search(/ ?\((?:rev|prog-if) /i)
  const name = (cut === -1 ? text : text.slice(0, cut)).replace(/\s+/g, ' ').trim()
  return {
    ...(name === '' ? {} : { name: name.slice(0, 300) }),
    ...(ids ? { vendorId: lower(ids[1]), deviceId: lower(ids[2]) } : {}),
    ...(revision === undefined ? {} : { revision: lower(revision) }),
    ...(progIf === undefined ? {} : { progIf: lower(progIf) }),
    ...defined({ driver }),
  }
}

function parseDriver(text: string): string | null | undefined {
  const name = /\bdriver(?: in use)? {0,2}[:=] {0,4}\[?([\w.-]{1,64})/i.exec(text)?.[1]
  return name === undefined ? undefined : /^(?:none|null|-|no|n)$/i.test(name) ? null : name
}

function lower(text: string | undefined): string {
  return (text ?? '').toLowerCase()
}
