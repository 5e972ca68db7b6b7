/**
 * Configuration space, decoded: 64, 256 or 4096 bytes → header, ids, capabilities, BARs, link and
 * FunctionFacts. It states only what the image holds: what lies beyond its end is an absent key. BAR sizes
 * are not in here (finding them needs writes); sysfs `resource` has them. Offsets are those of the PCI and
 * PCIe base specifications.
 */
import { hex } from './hex.ts'
import { type Capability, capabilityId, capabilityOffset, type CapabilityChain } from './capabilities.ts'
import { decodeBars } from './config-bars.ts'
import { decodeFacts, findOrNull, id16 } from './config-facts.ts'
import { extendedCapabilityId, findCapabilities, findExtendedCapabilities } from './capabilities.ts'
import { type ConfigBytes, configBytes } from './config-bytes.ts'
import type { Bar, Link, PciDevice } from './device.ts'
import type { Draft } from './draft.ts'
import type { ConfigDepth, FunctionFacts } from './facts.ts'

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

/** GT/s by the 4-bit code of Link Capabilities and Link Status. */
const linkSpeeds = [undefined, '2.5 GT/s', '5.0 GT/s', '8.0 GT/s', '16.0 GT/s', '32.0 GT/s', '64.0 GT/s']

/**
 * `facts` leaves out the BARs, which only the page about one device shows, and `facts of known` the ids and
 * the class, too.
 */
type Wanted = 'all' | 'facts' | 'facts of known'

/**
 * Decodes an image; fewer than 64 bytes are no configuration space and give `undefined`. `size` is that of
 * the whole image where `source` is only its beginning (see `holdsExtendedChain`).
 */
export function decodeConfig(
  source: Uint8Array | string,
  wanted: Wanted = 'all',
  size?: number,
): ConfigSpace | undefined {
  const bytes = configBytes(source)
  if (bytes.size < 64) return undefined
  const whole = size ?? bytes.size
  const depth: ConfigDepth = whole < 256 ? 'header' : whole < 4096 ? 'standard' : 'extended'
  const headerByte = bytes.byte(0x0e) ?? 0xff
  const headerType = headerByte & 0x7f
  if (headerByte === 0xff || isAllOnes(bytes)) {
    return { size: whole, capabilities: [], extendedCapabilities: [], facts: { depth, notAnswering: true } }
  }
  const standard = findCapabilities(bytes, headerType)
  const extended = findExtendedCapabilities(bytes)
  const express = findOrNull(standard, capabilityId.express)
  const link = typeof express === 'number' ? decodeLink(bytes, express) : undefined
  const serial = decodeSerial(bytes, capabilityOffset(extended, extendedCapabilityId.deviceSerialNumber))
  const facts = decodeFacts(bytes, { depth, standard, extended, express })
  const space: Draft<ConfigSpace> = {
    size: whole,
    capabilities: standard.found,
    extendedCapabilities: extended.found,
    facts,
  }
  if (wanted === 'all') space.bars = decodeBars(bytes, headerType, extended)
  if (wanted !== 'facts of known') decodeIds(bytes, headerType, standard, space)
  if (link) space.link = link
  if (serial) space.deviceSerialNumber = serial
  return space
}

/**
 * The device with everything its `config` says filled in; what the device already states wins (sysfs knows a
 * VF's ids, its configuration space does not).
 */
export function withConfigFacts(device: PciDevice): PciDevice {
  if (device.config === undefined) return device
  const known = { ...device }
  addFactsFrom(known, device.config)
  return known
}

type HowToDecode = {
  readonly wanted?: 'all' | 'facts'
  readonly size?: number | undefined
}

/** The same for a device still being built, from bytes at hand. */
export function addFactsFrom(
  device: Draft<PciDevice>,
  bytes: Uint8Array | string,
  how: HowToDecode = {},
): void {
  const { wanted = 'all', size } = how
  const isRestKnown = isKnown(device) && (wanted === 'facts' || device.bars !== undefined)
  const space = decodeConfig(bytes, isRestKnown ? 'facts of known' : wanted, size)
  if (!space) return
  device.facts = device.facts ? { ...space.facts, ...device.facts } : space.facts
  addStated(space, device)
  const { headerType, portType, secondaryBus, subordinateBus, sriov } = space.facts
  if (headerType !== undefined) device.headerType ??= headerType
  if (portType) device.portType ??= portType
  if (secondaryBus !== undefined) device.secondaryBus ??= secondaryBus
  if (subordinateBus !== undefined) device.subordinateBus ??= subordinateBus
  if (sriov) device.sriov ??= { totalVfs: sriov.totalVfs, numVfs: sriov.numVfs }
}

/** Nothing that the image says of these would count. */
function isKnown({
  vendorId,
  deviceId,
  subsystemVendorId,
  subsystemId,
  classCode,
  revision,
}: PciDevice): boolean {
  const isNamed =
    vendorId !== undefined && deviceId !== undefined && classCode !== undefined && revision !== undefined
  return isNamed && subsystemVendorId !== undefined && subsystemId !== undefined
}

function addStated(space: ConfigSpace, device: Draft<PciDevice>): void {
  if (space.vendorId !== undefined) device.vendorId ??= space.vendorId
  if (space.deviceId !== undefined) device.deviceId ??= space.deviceId
  if (space.subsystemVendorId !== undefined) device.subsystemVendorId ??= space.subsystemVendorId
  if (space.subsystemId !== undefined) device.subsystemId ??= space.subsystemId
  if (space.classCode !== undefined) device.classCode ??= space.classCode
  if (space.revision !== undefined) device.revision ??= space.revision
  if (space.bars !== undefined) device.bars ??= space.bars
  if (space.link !== undefined) device.link ??= space.link
  if (space.deviceSerialNumber !== undefined) device.deviceSerialNumber ??= space.deviceSerialNumber
}

function isAllOnes(bytes: ConfigBytes): boolean {
  for (let i = 0; i < 64; i += 1) if (bytes.byte(i) !== 0xff) return false
  return true
}

function decodeIds(
  bytes: ConfigBytes,
  headerType: number,
  chain: CapabilityChain,
  space: Draft<ConfigSpace>,
): void {
  const vendorId = id16(bytes.word(0x00))
  const deviceId = id16(bytes.word(0x02))
  const own = headerType === 0 ? 0x2c : headerType === 2 ? 0x40 : undefined
  const bridge = capabilityOffset(chain, capabilityId.bridgeSubsystem)
  const subsystem = own ?? (bridge === undefined ? undefined : bridge + 4)
  const subVendor = subsystem === undefined ? undefined : bytes.word(subsystem)
  const subDevice = subsystem === undefined ? undefined : bytes.word(subsystem + 2)
  // 0000:0000 is "not filled in", as lspci treats it.
  const subsystemVendorId = subVendor === 0 ? undefined : id16(subVendor)
  const subsystemId = subsystemVendorId === undefined ? undefined : id16(subDevice)
  if (vendorId) space.vendorId = vendorId
  if (deviceId) space.deviceId = deviceId
  if (subsystemVendorId) space.subsystemVendorId = subsystemVendorId
  if (subsystemId) space.subsystemId = subsystemId
  space.classCode = hex((bytes.dword(0x08) ?? 0) >>> 8, 6)
  space.revision = hex(bytes.byte(0x08) ?? 0, 2)
}

function decodeLink(bytes: ConfigBytes, express: number): Link | undefined {
  const capability = bytes.dword(express + 0x0c)
  const status = bytes.word(express + 0x12)
  const maxSpeed = capability === undefined ? undefined : linkSpeeds[capability & 0xf]
  const maxWidth = capability === undefined ? 0 : (capability >>> 4) & 0x3f
  const speed = status === undefined ? undefined : linkSpeeds[status & 0xf]
  const width = status === undefined ? 0 : (status >>> 4) & 0x3f
  if (maxSpeed === undefined && speed === undefined) return undefined
  const link: Draft<Link> = {}
  if (speed) link.speed = speed
  if (width !== 0) link.width = width
  if (maxSpeed) link.maxSpeed = maxSpeed
  if (maxWidth !== 0) link.maxWidth = maxWidth
  return link
}

/** Eight bytes, high dword first as sysfs and lspci print it; all zero and all ff say "none". */
function decodeSerial(bytes: ConfigBytes, offset: number | undefined): string | undefined {
  if (offset === undefined) return undefined
  const low = bytes.dword(offset + 4)
  const high = bytes.dword(offset + 8)
  if (low === undefined || high === undefined) return undefined
  const isNone = low === high && (low === 0 || low === 0xffffffff)
  return isNone ? undefined : hex(high, 8) + hex(low, 8)
}
