/**
 * Configuration space, decoded: 64, 256 or 4096 bytes → header, ids, capabilities, BARs, link and FunctionFacts.
 * It states only what the image holds: what lies beyond its end is an absent key. BAR sizes are not in here
 * (finding them needs writes); sysfs `resource` has them. Offsets are those of the PCI and PCIe base specifications.
 */
import { type Capability, capabilityId, capabilityOffset, type CapabilityChain } from './capabilities.ts'
import { decodeBars } from './config-bars.ts'
import { extendedCapabilityId, findCapabilities, findExtendedCapabilities } from './capabilities.ts'
import { type ConfigBytes, configBytes, dword, hex, word } from './config-bytes.ts'
import type { Bar, Link, PciDevice, PortType } from './device.ts'
import type { AcsFacts, ConfigDepth, FunctionFacts, PowerFacts, SriovFacts } from './facts.ts'

export type ConfigSpace = {
  /** Bytes in the image. */
  readonly size: number
  readonly facts: FunctionFacts
  readonly vendorId?: string
  readonly deviceId?: string
  readonly subsystemVendorId?: string
  readonly subsystemId?: string
  readonly classCode?: string
  readonly revision?: string
  readonly capabilities: readonly Capability[]
  readonly extendedCapabilities: readonly Capability[]
  readonly bars?: readonly Bar[]
  readonly link?: Link
  readonly deviceSerialNumber?: string
}

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

/** GT/s by the 4-bit code of Link Capabilities and Link Status. */
const linkSpeeds = [undefined, '2.5 GT/s', '5.0 GT/s', '8.0 GT/s', '16.0 GT/s', '32.0 GT/s', '64.0 GT/s']

/** Decodes an image; fewer than 64 bytes are no configuration space and give `undefined`. */
export function decodeConfig(source: Uint8Array | string): ConfigSpace | undefined {
  const bytes = configBytes(source)
  if (bytes.size < 64) return undefined
  const depth: ConfigDepth = bytes.size < 256 ? 'header' : bytes.size < 4096 ? 'standard' : 'extended'
  const headerByte = bytes.byte(0x0e) ?? 0xff
  const headerType = headerByte & 0x7f
  if (headerByte === 0xff || isAllOnes(bytes)) {
    return { size: bytes.size, capabilities: [], extendedCapabilities: [], facts: { depth, notAnswering: true } }
  }
  const standard = findCapabilities(bytes, headerType)
  const extended = findExtendedCapabilities(bytes)
  const express = findOrNull(standard, capabilityId.express)
  const link = typeof express === 'number' ? decodeLink(bytes, express) : undefined
  const serial = decodeSerial(bytes, capabilityOffset(extended, extendedCapabilityId.deviceSerialNumber))
  return {
    size: bytes.size,
    ...decodeIds(bytes, headerType, standard),
    capabilities: standard.found,
    extendedCapabilities: extended.found,
    bars: decodeBars(bytes, headerType, extended),
    ...(link && { link }),
    ...(serial && { deviceSerialNumber: serial }),
    facts: {
      depth,
      ...(headerType < 3 && { headerType: headerType as 0 | 1 | 2 }),
      multifunctionBit: (headerByte & 0x80) !== 0,
      ...decodeBuses(bytes, headerType),
      ...decodeStandardFacts(bytes, standard),
      ...(express !== undefined && decodeExpressFacts(bytes, express)),
      ...decodeExtendedFacts(bytes, extended, express),
      ...decodeLpc(bytes),
    },
  }
}

/**
 * The device with everything its `config` says filled in; what the device already states wins (sysfs knows a VF's ids,
 * its configuration space does not).
 */
export function withConfigFacts(device: PciDevice): PciDevice {
  return device.config === undefined ? device : withFactsFrom(device, device.config)
}

/** The same from bytes at hand, which saves reading them back out of the hex. */
export function withFactsFrom(device: PciDevice, bytes: Uint8Array | string): PciDevice {
  const space = decodeConfig(bytes)
  if (!space) return device
  const { size: _size, capabilities: _c, extendedCapabilities: _e, facts, ...stated } = space
  const known: Partial<PciDevice> = {
    ...stated,
    ...(facts.headerType !== undefined && { headerType: facts.headerType }),
    ...(facts.portType && { portType: facts.portType }),
    ...(facts.secondaryBus !== undefined && { secondaryBus: facts.secondaryBus }),
    ...(facts.subordinateBus !== undefined && { subordinateBus: facts.subordinateBus }),
    ...(facts.sriov && { sriov: { totalVfs: facts.sriov.totalVfs, numVfs: facts.sriov.numVfs } }),
  }
  return { ...known, ...device, facts: { ...facts, ...device.facts } }
}

function isAllOnes(bytes: ConfigBytes): boolean {
  for (let i = 0; i < 64; i += 1) if (bytes.byte(i) !== 0xff) return false
  return true
}

/** Offset when found, `null` when the whole chain was seen without it, `undefined` when the chain was cut. */
function findOrNull(chain: CapabilityChain, id: number): number | null | undefined {
  return capabilityOffset(chain, id) ?? (chain.complete ? null : undefined)
}

function id16(value: number | undefined): string | undefined {
  return value === undefined || value === 0xffff ? undefined : hex(value, 4)
}

function decodeIds(bytes: ConfigBytes, headerType: number, chain: CapabilityChain): Partial<ConfigSpace> {
  const vendorId = id16(word(bytes, 0x00))
  const deviceId = id16(word(bytes, 0x02))
  const own = headerType === 0 ? 0x2c : headerType === 2 ? 0x40 : undefined
  const bridge = capabilityOffset(chain, capabilityId.bridgeSubsystem)
  const subsystem = own ?? (bridge === undefined ? undefined : bridge + 4)
  const subVendor = subsystem === undefined ? undefined : word(bytes, subsystem)
  const subDevice = subsystem === undefined ? undefined : word(bytes, subsystem + 2)
  // 0000:0000 is "not filled in", as lspci treats it.
  const subsystemVendorId = subVendor === 0 ? undefined : id16(subVendor)
  const subsystemId = subsystemVendorId === undefined ? undefined : id16(subDevice)
  return {
    ...(vendorId && { vendorId }),
    ...(deviceId && { deviceId }),
    ...(subsystemVendorId && { subsystemVendorId }),
    ...(subsystemId && { subsystemId }),
    classCode: hex((dword(bytes, 0x08) ?? 0) >>> 8, 6),
    revision: hex(bytes.byte(0x08) ?? 0, 2),
  }
}

function decodeBuses(bytes: ConfigBytes, headerType: number): Partial<FunctionFacts> {
  const [primaryBus, secondaryBus, subordinateBus] = [bytes.byte(0x18), bytes.byte(0x19), bytes.byte(0x1a)]
  if (headerType !== 1 && headerType !== 2) return {}
  if (primaryBus === undefined || secondaryBus === undefined || subordinateBus === undefined) return {}
  return { primaryBus, secondaryBus, subordinateBus }
}

function decodeLink(bytes: ConfigBytes, express: number): Link | undefined {
  const capability = dword(bytes, express + 0x0c)
  const status = word(bytes, express + 0x12)
  const maxSpeed = capability === undefined ? undefined : linkSpeeds[capability & 0xf]
  const maxWidth = capability === undefined ? 0 : (capability >>> 4) & 0x3f
  const speed = status === undefined ? undefined : linkSpeeds[status & 0xf]
  const width = status === undefined ? 0 : (status >>> 4) & 0x3f
  if (maxSpeed === undefined && speed === undefined) return undefined
  return {
    ...(speed && { speed }),
    ...(width !== 0 && { width }),
    ...(maxSpeed && { maxSpeed }),
    ...(maxWidth !== 0 && { maxWidth }),
  }
}

/** Eight bytes, high dword first as sysfs and lspci print it; all zero and all ff say "none". */
function decodeSerial(bytes: ConfigBytes, offset: number | undefined): string | undefined {
  if (offset === undefined) return undefined
  const low = dword(bytes, offset + 4)
  const high = dword(bytes, offset + 8)
  if (low === undefined || high === undefined) return undefined
  const serial = hex(high, 8) + hex(low, 8)
  return /^(?:0+|f+)$/.test(serial) ? undefined : serial
}

function decodeExpressFacts(bytes: ConfigBytes, express: number | null): Partial<FunctionFacts> {
  if (express === null) return { portType: null, flr: false }
  const flags = word(bytes, express + 2)
  const capability = dword(bytes, express + 4)
  const slot = dword(bytes, express + 0x14)
  const portType = flags === undefined ? undefined : portTypes[(flags >>> 4) & 0xf]
  return {
    ...(portType && { portType }),
    ...(capability !== undefined && { flr: (capability & (1 << 28)) !== 0 }),
    ...(flags !== undefined && (flags & 0x100) !== 0 && slot !== undefined && { slotNumber: slot >>> 19 }),
  }
}

function decodeStandardFacts(bytes: ConfigBytes, chain: CapabilityChain): Partial<FunctionFacts> {
  const power = findOrNull(chain, capabilityId.power)
  const msi = findOrNull(chain, capabilityId.msi)
  const msix = findOrNull(chain, capabilityId.msix)
  const features = findOrNull(chain, capabilityId.advancedFeatures)
  const vpd = findOrNull(chain, capabilityId.vpd)
  return {
    ...(power !== undefined && { power: power === null ? null : decodePower(bytes, power) }),
    ...(msi !== undefined && { msiVectors: msi === null ? null : 1 << (((word(bytes, msi + 2) ?? 0) >>> 1) & 7) }),
    ...(msix !== undefined && { msixVectors: msix === null ? null : ((word(bytes, msix + 2) ?? 0) & 0x7ff) + 1 }),
    ...(features !== undefined && { afFlr: features !== null && ((bytes.byte(features + 3) ?? 0) & 3) === 3 }),
    ...(vpd !== undefined && { vpd: vpd !== null }),
  }
}

function decodePower(bytes: ConfigBytes, power: number): PowerFacts {
  const status = word(bytes, power + 4)
  if (status === undefined) return {}
  const state = (['D0', 'D1', 'D2', 'D3hot'] as const)[status & 3]
  return { noSoftReset: (status & 8) !== 0, ...(state && { state }) }
}

/** A conventional function has no extended space, so nothing there is unknown about it. */
function decodeExtendedFacts(
  bytes: ConfigBytes,
  chain: CapabilityChain,
  express: number | null | undefined,
): Partial<FunctionFacts> {
  const known: CapabilityChain = express === null ? { found: chain.found, complete: true } : chain
  const acs = findOrNull(known, extendedCapabilityId.acs)
  const ari = findOrNull(known, extendedCapabilityId.ari)
  const sriov = findOrNull(known, extendedCapabilityId.sriov)
  const rebar = findOrNull(known, extendedCapabilityId.resizableBar)
  return {
    ...(acs !== undefined && { acs: acs === null ? null : decodeAcs(bytes, acs) }),
    ...(ari !== undefined && { ari: ari !== null }),
    ...(sriov !== undefined && { sriov: sriov === null ? null : decodeSriov(bytes, sriov) }),
    ...(rebar !== undefined && { resizableBar: rebar !== null }),
  }
}

function decodeAcs(bytes: ConfigBytes, offset: number): AcsFacts {
  const capability = word(bytes, offset + 4)
  const control = word(bytes, offset + 6)
  const capabilityDword = dword(bytes, offset + 4)
  const controlDword = dword(bytes, offset + 8)
  return {
    ...(capability !== undefined && { capability }),
    ...(control !== undefined && { control }),
    ...(capabilityDword !== undefined && { capabilityDword }),
    ...(controlDword !== undefined && { controlDword }),
  }
}

/** NumVFs counts only while VF Enable (control bit 0) is set. */
function decodeSriov(bytes: ConfigBytes, offset: number): SriovFacts {
  const enabled = ((word(bytes, offset + 0x08) ?? 0) & 1) !== 0
  const firstVfOffset = word(bytes, offset + 0x14)
  const vfStride = word(bytes, offset + 0x16)
  const vfDeviceId = id16(word(bytes, offset + 0x1a))
  return {
    totalVfs: word(bytes, offset + 0x0e) ?? 0,
    numVfs: enabled ? (word(bytes, offset + 0x10) ?? 0) : 0,
    ...(firstVfOffset !== undefined && { firstVfOffset }),
    ...(vfStride !== undefined && { vfStride }),
    ...(vfDeviceId && { vfDeviceId }),
  }
}

/** Intel LPC bridges (class 0601) keep the RCBA register at 0xf0. */
function decodeLpc(bytes: ConfigBytes): Partial<FunctionFacts> {
  if (word(bytes, 0) !== 0x8086 || word(bytes, 0x0a) !== 0x0601) return {}
  const rcba = bytes.byte(0xf0)
  return rcba === undefined ? {} : { rcbaEnabled: (rcba & 1) !== 0 }
}
