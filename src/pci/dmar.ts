/**
 * DMAR: what the firmware says about Intel's IOMMUs (VT-d specification, chapter 8; fields as in ACPICA's
 * actbl1.h). Which unit covers which functions, which memory must stay mapped one to one, and the firmware's
 * wishes on interrupt remapping. It never throws; what does not fit ends the walk and `complete` is false.
 */
import { type AcpiTable, formatPhysical, openTable, splitStructures, type Structure } from './acpi-tables.ts'
import { formatAddress, type PciAddress } from './address.ts'
import { qword } from './config-bytes.ts'
import { secondaryBusOf, type Topology, type TopologyNode } from './topology-node.ts'

/** `bridge` covers everything below it; `ioapic`, `hpet` and `acpi` are no PCI functions of ours. */
export type DmarScope = {
  readonly kind: 'endpoint' | 'bridge' | 'ioapic' | 'hpet' | 'acpi' | 'other'
  readonly enumerationId: number
  readonly startBus: number
  /** Slot and function at each step down from the start bus. */
  readonly path: readonly { readonly slot: number; readonly function: number }[]
}

export type DmarUnit = {
  readonly segment: number
  /** MMIO base, hex without `0x`. */
  readonly base: string
  /** INCLUDE_PCI_ALL: everything of the segment that no other unit names. */
  readonly includesAll: boolean
  readonly scopes: readonly DmarScope[]
}

/**
 * RMRR: memory the named devices keep using. It makes a `direct` region, or `direct-relaxable` for USB and
 * display.
 */
export type ReservedMemory = {
  readonly segment: number
  /** Inclusive, hex without `0x`. */
  readonly start: string
  readonly end: string
  readonly scopes: readonly DmarScope[]
}

export type Dmar = {
  readonly interruptRemapping: boolean
  readonly x2apicOptOut: boolean
  /** DMA_CTRL_PLATFORM_OPT_IN: the kernel may force the IOMMU on for external ports. */
  readonly dmaOptIn: boolean
  /** Host address width in bits. */
  readonly addressWidth: number
  readonly units: readonly DmarUnit[]
  readonly reserved: readonly ReservedMemory[]
  readonly complete: boolean
}

export function parseDmar(source: Uint8Array | string): Dmar | undefined {
  const table = openTable(source, 'DMAR')
  const width = table?.bytes.byte(36)
  const flags = table?.bytes.byte(37)
  if (!table || width === undefined || flags === undefined) return undefined
  const { structures, complete } = splitStructures(48, table.end, (offset) => table.bytes.word(offset + 2))
  const units: DmarUnit[] = []
  const reserved: ReservedMemory[] = []
  for (const structure of structures) {
    const type = table.bytes.word(structure.offset)
    if (type === 0) units.push(...parseUnit(table, structure))
    if (type === 1) reserved.push(...parseReserved(table, structure))
  }
  return {
    interruptRemapping: (flags & 1) !== 0,
    x2apicOptOut: (flags & 2) !== 0,
    dmaOptIn: (flags & 4) !== 0,
    addressWidth: width + 1,
    units,
    reserved,
    complete,
  }
}

function parseUnit(table: AcpiTable, { offset, end }: Structure): readonly DmarUnit[] {
  if (end - offset < 16) return []
  return [
    {
      segment: table.bytes.word(offset + 6) ?? 0,
      base: formatPhysical(qword(table.bytes, offset + 8) ?? 0n),
      includesAll: ((table.bytes.byte(offset + 4) ?? 0) & 1) !== 0,
      scopes: parseScopes(table, offset + 16, end),
    },
  ]
}

function parseReserved(table: AcpiTable, { offset, end }: Structure): readonly ReservedMemory[] {
  if (end - offset < 24) return []
  return [
    {
      segment: table.bytes.word(offset + 6) ?? 0,
      start: formatPhysical(qword(table.bytes, offset + 8) ?? 0n),
      end: formatPhysical(qword(table.bytes, offset + 16) ?? 0n),
      scopes: parseScopes(table, offset + 24, end),
    },
  ]
}

const scopeKinds: Readonly<Record<number, DmarScope['kind']>> = {
  1: 'endpoint',
  2: 'bridge',
  3: 'ioapic',
  4: 'hpet',
  5: 'acpi',
}

function parseScopes({ bytes }: AcpiTable, from: number, to: number): readonly DmarScope[] {
  const { structures } = splitStructures(from, to, (offset) => bytes.byte(offset + 1))
  return structures.map(({ offset, end }) => {
    const path: { slot: number; function: number }[] = []
    for (let at = offset + 6; at + 2 <= end; at += 2) {
      path.push({ slot: bytes.byte(at) ?? 0, function: bytes.byte(at + 1) ?? 0 })
    }
    return {
      kind: scopeKinds[bytes.byte(offset) ?? 0] ?? 'other',
      enumerationId: bytes.byte(offset + 4) ?? 0,
      startBus: bytes.byte(offset + 5) ?? 0,
      path,
    }
  })
}

/**
 * The function a scope names: every step but the last is a bridge whose secondary bus is walked to. Absent
 * when a step is not in the topology (hidden, or hot-plugged later).
 */
export function findScopeFunction(
  topology: Topology,
  segment: number,
  scope: DmarScope,
): PciAddress | undefined {
  if (scope.kind !== 'endpoint' && scope.kind !== 'bridge') return undefined
  let bus: number | undefined = scope.startBus
  let address: PciAddress | undefined
  for (const step of scope.path) {
    if (bus === undefined || step.slot > 31 || step.function > 7) return undefined
    address = formatAddress({ domain: segment, bus, ...step })
    const node = topology.byAddress.get(address)
    if (!node) return undefined
    bus = secondaryBusOf(node.device)
  }
  return address
}

/**
 * All functions the scopes name; a bridge scope stands for itself and everything below. In address order of
 * the topology.
 */
export function findScopedFunctions(
  topology: Topology,
  segment: number,
  scopes: readonly DmarScope[],
): readonly PciAddress[] {
  const named = new Map<PciAddress, 'endpoint' | 'bridge'>()
  for (const scope of scopes) {
    const address = findScopeFunction(topology, segment, scope)
    if (address && (scope.kind === 'bridge' || !named.has(address))) {
      named.set(address, scope.kind === 'bridge' ? 'bridge' : 'endpoint')
    }
  }
  if (named.size === 0) return []
  const covered = new Set<TopologyNode>()
  return topology.nodes
    .filter((node) => {
      const below = node.parent !== undefined && covered.has(node.parent)
      if (below || named.get(node.address) === 'bridge') covered.add(node)
      return below || named.has(node.address)
    })
    .map((node) => node.address)
}

/** RMRRs that hold on to a function, by address: why its group would have a `direct` region. */
export function findReservedMemory(
  topology: Topology,
  dmar: Dmar,
): ReadonlyMap<PciAddress, readonly ReservedMemory[]> {
  const found = new Map<PciAddress, ReservedMemory[]>()
  for (const memory of dmar.reserved) {
    for (const address of findScopedFunctions(topology, memory.segment, memory.scopes)) {
      const list = found.get(address)
      if (list) list.push(memory)
      else found.set(address, [memory])
    }
  }
  return found
}

/**
 * Functions no unit covers: they get no group. Empty for a table that was cut short, since the missing unit
 * may cover them.
 */
export function findUncovered(topology: Topology, dmar: Dmar): readonly PciAddress[] {
  if (!dmar.complete || dmar.units.length === 0) return []
  const wholeSegments = new Set(dmar.units.filter((unit) => unit.includesAll).map((unit) => unit.segment))
  const covered = new Set(
    dmar.units.flatMap((unit) => findScopedFunctions(topology, unit.segment, unit.scopes)),
  )
  return topology.nodes
    .filter(({ parts }) => parts.domain <= 0xffff && !wholeSegments.has(parts.domain))
    .filter((node) => !covered.has((node.physicalFunction ?? node).address))
    .map((node) => node.address)
}
