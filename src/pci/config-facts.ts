/** FunctionFacts out of configuration space. Offsets are those of the PCI and PCIe base specifications. */
import { capabilityId, capabilityOffset, extendedCapabilityId, type CapabilityChain } from './capabilities.ts'
import type { ConfigBytes } from './config-bytes.ts'
import type { Draft } from './draft.ts'
import type { AcsFacts, ConfigDepth, FunctionFacts, PortType, PowerFacts, SriovFacts } from './facts.ts'
import { hex } from './hex.ts'

const portTypes: Readonly<Record<number, PortType>> = {
  0: 'endpoint',
  1: 'legacyEndpoint',
  4: 'rootPort',
  5: 'upstreamPort',
  6: 'downstreamPort',
  7: 'pcieToPciBridge',
  8: 'pciToPcieBridge',
  9: 'rootComplexEndpoint',
  10: 'rootComplexEventCollector',
}

type Found = {
  readonly depth: ConfigDepth
  readonly standard: CapabilityChain
  readonly extended: CapabilityChain
  /** Where the Express capability is, as `findOrNull` has it. */
  readonly express: number | null | undefined
}

export function decodeFacts(
  bytes: ConfigBytes,
  { depth, standard, extended, express }: Found,
): FunctionFacts {
  const headerByte = bytes.byte(0x0e) ?? 0xff
  const headerType = headerByte & 0x7f
  const facts: Draft<FunctionFacts> = { depth, multifunctionBit: (headerByte & 0x80) !== 0 }
  if (headerType === 0 || headerType === 1 || headerType === 2) facts.headerType = headerType
  decodeBuses(bytes, headerType, facts)
  decodeStandardFacts(bytes, standard, facts)
  if (express !== undefined) decodeExpressFacts(bytes, express, facts)
  // A conventional function has no extended space, so nothing there is unknown about it.
  decodeExtendedFacts(bytes, express === null ? { found: extended.found, complete: true } : extended, facts)
  decodeLpc(bytes, facts)
  return facts
}

/** Offset when found, `null` when the whole chain was seen without it, `undefined` when the chain was cut. */
export function findOrNull(chain: CapabilityChain, id: number): number | null | undefined {
  return capabilityOffset(chain, id) ?? (chain.complete ? null : undefined)
}

export function id16(value: number | undefined): string | undefined {
  return value === undefined || value === 0xffff ? undefined : hex(value, 4)
}

function decodeBuses(bytes: ConfigBytes, headerType: number, facts: Draft<FunctionFacts>): void {
  if (headerType !== 1 && headerType !== 2) return
  const [primaryBus, secondaryBus, subordinateBus] = [bytes.byte(0x18), bytes.byte(0x19), bytes.byte(0x1a)]
  if (primaryBus === undefined || secondaryBus === undefined || subordinateBus === undefined) return
  facts.primaryBus = primaryBus
  facts.secondaryBus = secondaryBus
  facts.subordinateBus = subordinateBus
}

function decodeExpressFacts(bytes: ConfigBytes, express: number | null, facts: Draft<FunctionFacts>): void {
  if (express === null) {
    facts.portType = null
    facts.flr = false
    return
  }
  const flags = bytes.word(express + 2)
  const capability = bytes.dword(express + 4)
  const slot = bytes.dword(express + 0x14)
  const portType = flags === undefined ? undefined : portTypes[(flags >>> 4) & 0xf]
  if (portType) facts.portType = portType
  if (capability !== undefined) facts.flr = (capability & (1 << 28)) !== 0
  if (flags !== undefined && (flags & 0x100) !== 0 && slot !== undefined) facts.slotNumber = slot >>> 19
}

function decodeStandardFacts(bytes: ConfigBytes, chain: CapabilityChain, facts: Draft<FunctionFacts>): void {
  const power = findOrNull(chain, capabilityId.power)
  const msi = findOrNull(chain, capabilityId.msi)
  const msix = findOrNull(chain, capabilityId.msix)
  const features = findOrNull(chain, capabilityId.advancedFeatures)
  const vpd = findOrNull(chain, capabilityId.vpd)
  if (power !== undefined) facts.power = power === null ? null : decodePower(bytes, power)
  if (msi !== undefined)
    facts.msiVectors = msi === null ? null : 1 << (((bytes.word(msi + 2) ?? 0) >>> 1) & 7)
  if (msix !== undefined) facts.msixVectors = msix === null ? null : ((bytes.word(msix + 2) ?? 0) & 0x7ff) + 1
  if (features !== undefined) facts.afFlr = features !== null && ((bytes.byte(features + 3) ?? 0) & 3) === 3
  if (vpd !== undefined) facts.vpd = vpd !== null
}

const powerStates = ['D0', 'D1', 'D2', 'D3hot'] as const

function decodePower(bytes: ConfigBytes, power: number): PowerFacts {
  const status = bytes.word(power + 4)
  if (status === undefined) return {}
  const noSoftReset = (status & 8) !== 0
  const state = powerStates[status & 3]
  return state === undefined ? { noSoftReset } : { noSoftReset, state }
}

function decodeExtendedFacts(bytes: ConfigBytes, chain: CapabilityChain, facts: Draft<FunctionFacts>): void {
  const acs = findOrNull(chain, extendedCapabilityId.acs)
  const ari = findOrNull(chain, extendedCapabilityId.ari)
  const sriov = findOrNull(chain, extendedCapabilityId.sriov)
  const rebar = findOrNull(chain, extendedCapabilityId.resizableBar)
  if (acs !== undefined) facts.acs = acs === null ? null : decodeAcs(bytes, acs)
  if (ari !== undefined) facts.ari = ari !== null
  if (sriov !== undefined) facts.sriov = sriov === null ? null : decodeSriov(bytes, sriov)
  if (rebar !== undefined) facts.resizableBar = rebar !== null
}

function decodeAcs(bytes: ConfigBytes, offset: number): AcsFacts {
  const capability = bytes.word(offset + 4)
  const control = bytes.word(offset + 6)
  const capabilityDword = bytes.dword(offset + 4)
  const controlDword = bytes.dword(offset + 8)
  const acs: Draft<AcsFacts> = {}
  if (capability !== undefined) acs.capability = capability
  if (control !== undefined) acs.control = control
  if (capabilityDword !== undefined) acs.capabilityDword = capabilityDword
  if (controlDword !== undefined) acs.controlDword = controlDword
  return acs
}

/** NumVFs counts only while VF Enable (control bit 0) is set. */
function decodeSriov(bytes: ConfigBytes, offset: number): SriovFacts {
  const enabled = ((bytes.word(offset + 0x08) ?? 0) & 1) !== 0
  const firstVfOffset = bytes.word(offset + 0x14)
  const vfStride = bytes.word(offset + 0x16)
  const vfDeviceId = id16(bytes.word(offset + 0x1a))
  return {
    totalVfs: bytes.word(offset + 0x0e) ?? 0,
    numVfs: enabled ? (bytes.word(offset + 0x10) ?? 0) : 0,
    ...(firstVfOffset !== undefined && { firstVfOffset }),
    ...(vfStride !== undefined && { vfStride }),
    ...(vfDeviceId && { vfDeviceId }),
  }
}

/** Intel LPC bridges (class 0601) keep the RCBA register at 0xf0. */
function decodeLpc(bytes: ConfigBytes, facts: Draft<FunctionFacts>): void {
  if (bytes.word(0) !== 0x8086 || bytes.word(0x0a) !== 0x0601) return
  const rcba = bytes.byte(0xf0)
  if (rcba !== undefined) facts.rcbaEnabled = (rcba & 1) !== 0
}
