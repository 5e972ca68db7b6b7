/**
 * IVRS: what the firmware says about AMD's IOMMUs (AMD I/O Virtualization specification, chapter 5; read as
 * Linux does in drivers/iommu/amd/init.c). Which functions a unit covers, under whose requester id one may
 * appear (alias), which memory must stay mapped one to one. It never throws; what does not fit ends the walk
 * and `complete` is false.
 */
import { type AcpiTable, formatPhysical, openTable, splitStructures, type Structure } from './acpi-tables.ts'
import { formatAddress, type PciAddress } from './address.ts'
import { qword } from './config-bytes.ts'

/** Inclusive range of 16-bit device ids (bus << 8 | devfn) in one segment. */
export type DeviceIdRange = { readonly first: number; readonly last: number }

export type IvrsUnit = {
  readonly segment: number
  /** The IOMMU's own function. */
  readonly function: PciAddress
  /** MMIO base, hex without `0x`. */
  readonly base: string
  readonly covers: readonly DeviceIdRange[]
  /** `from` issues DMA as `to`. */
  readonly aliases: readonly { readonly from: DeviceIdRange; readonly to: number }[]
  readonly special: readonly {
    readonly kind: 'ioapic' | 'hpet' | 'other'
    readonly id: number
    readonly requester: number
  }[]
}

/**
 * IVMD: memory some devices need. `unity` makes a `direct` region, and such a device cannot be assigned;
 * Linux maps exclusion ranges (flag bit 3) one to one as well.
 */
export type IvrsMemory = {
  readonly segment: number
  readonly devices: DeviceIdRange
  readonly unity: boolean
  readonly start: string
  readonly end: string
}

export type Ivrs = {
  readonly dmaRemapSupported: boolean
  readonly units: readonly IvrsUnit[]
  readonly memory: readonly IvrsMemory[]
  readonly complete: boolean
}

const allIds: DeviceIdRange = { first: 0, last: 0xffff }

export function parseIvrs(source: Uint8Array | string): Ivrs | undefined {
  const table = openTable(source, 'IVRS')
  if (!table) return undefined
  const { bytes, end } = table
  const { structures, complete } = splitStructures(48, end, (offset) => bytes.word(offset + 2))
  const units: { type: number; unit: IvrsUnit }[] = []
  const memory: IvrsMemory[] = []
  for (const block of structures) {
    const type = bytes.byte(block.offset) ?? 0
    if (type === 0x10 || type === 0x11 || type === 0x40)
      units.push({ type, unit: parseUnit(table, block, type) })
    if (type >= 0x20 && type <= 0x22) memory.push(...parseMemory(table, block, type))
  }
  return {
    dmaRemapSupported: ((bytes.dword(36) ?? 0) & 2) !== 0,
    units: bestOfEach(units),
    memory,
    complete,
  }
}

/** The same unit may be described three times; Linux takes the highest type it knows. */
function bestOfEach(units: readonly { type: number; unit: IvrsUnit }[]): readonly IvrsUnit[] {
  const best = new Map<PciAddress, { type: number; unit: IvrsUnit }>()
  for (const entry of units) {
    const known = best.get(entry.unit.function)
    if (!known || entry.type > known.type) best.set(entry.unit.function, entry)
  }
  return [...best.values()].map((entry) => entry.unit)
}

type UnitDraft = {
  covers: DeviceIdRange[]
  aliases: IvrsUnit['aliases'][number][]
  special: IvrsUnit['special'][number][]
}

function parseUnit({ bytes }: AcpiTable, block: Structure, type: number): IvrsUnit {
  const draft: UnitDraft = { covers: [], aliases: [], special: [] }
  const { structures } = splitStructures(block.offset + (type === 0x10 ? 24 : 40), block.end, (at) =>
    entryLength(bytes, at),
  )
  let open: { first: number; alias?: number } | undefined
  for (const { offset } of structures) {
    const kind = bytes.byte(offset) ?? 0
    const id = bytes.word(offset + 1) ?? 0
    const source = ((bytes.dword(offset + 4) ?? 0) >>> 8) & 0xffff
    if (kind === 1) draft.covers.push(allIds)
    if (kind === 2 || kind === 0x46) draft.covers.push({ first: id, last: id })
    if (kind === 3 || kind === 0x47) open = { first: id }
    if (kind === 0x43) open = { first: id, alias: source }
    if (kind === 0x42) addAlias(draft, { first: id, last: id }, source)
    if (kind === 4 && open) {
      const range = { first: open.first, last: id }
      if (open.alias === undefined) draft.covers.push(range)
      else addAlias(draft, range, open.alias)
      open = undefined
    }
    if (kind === 0x48) {
      const extended = bytes.dword(offset + 4) ?? 0
      const special = (['other', 'ioapic', 'hpet'] as const)[extended >>> 24] ?? 'other'
      draft.special.push({ kind: special, id: extended & 0xff, requester: (extended >>> 8) & 0xffff })
    }
  }
  const segment = bytes.word(block.offset + 16) ?? 0
  return {
    segment,
    function: addressOfId(segment, bytes.word(block.offset + 4) ?? 0),
    base: formatPhysical(qword(bytes, block.offset + 8) ?? 0n),
    ...draft,
  }
}

/** Both the device and the id it appears under belong to the unit. */
function addAlias(draft: UnitDraft, from: DeviceIdRange, to: number): void {
  draft.covers.push(from, { first: to, last: to })
  draft.aliases.push({ from, to })
}

/**
 * 4, 8, 16 or 32 bytes by the two top bits; type 0xf0 (ACPI device) says itself how long its unique id is.
 */
function entryLength(bytes: AcpiTable['bytes'], offset: number): number | undefined {
  const type = bytes.byte(offset)
  if (type === undefined) return undefined
  return type === 0xf0 ? 22 + (bytes.byte(offset + 21) ?? 0) : 4 << (type >> 6)
}

function parseMemory({ bytes }: AcpiTable, block: Structure, type: number): readonly IvrsMemory[] {
  const start = qword(bytes, block.offset + 16)
  const length = qword(bytes, block.offset + 24)
  if (block.end - block.offset < 32 || start === undefined || length === undefined || length === 0n) return []
  const id = bytes.word(block.offset + 4) ?? 0
  const last = bytes.word(block.offset + 6) ?? 0
  return [
    {
      segment: bytes.word(block.offset + 8) ?? 0,
      devices: type === 0x20 ? allIds : type === 0x21 ? { first: id, last: id } : { first: id, last },
      unity: ((bytes.byte(block.offset + 1) ?? 0) & 0x09) !== 0,
      start: formatPhysical(start),
      end: formatPhysical(start + length - 1n),
    },
  ]
}

export function addressOfId(segment: number, id: number): PciAddress {
  return formatAddress({ domain: segment, bus: id >> 8, slot: (id >> 3) & 31, function: id & 7 })
}
