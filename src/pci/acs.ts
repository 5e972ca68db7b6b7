/**
 * Is a function isolated from its neighbours, in the kernel's eyes? The test behind every IOMMU group
 * (`pci_acs_enabled(dev, SV|RR|CR|UF)`, drivers/pci/pci.c and quirks.c; the same text in 6.1, 6.12 and 7.2).
 * Answers are a best guess with `sure`: where the input lacks what decides, the guess is the cautious one.
 */
import type { PciDevice } from './device.ts'
import { acsFlag, type AcsFacts, type FunctionFacts } from './facts.ts'
import {
  type AcsQuirk,
  type AskedRow,
  acsQuirksOf,
  acsRowsFor,
  acsRowsForAny,
  brokenSourceValidation,
} from './quirks/acs-quirks.ts'
import { claimOverride, type AcsOverride } from './acs-override.ts'
import { no, probablyNo, probablyYes, yes, type Judged } from './judged.ts'
import { judgeMultifunction, portTypeOf } from './multifunction.ts'
import { holdsFor, isAtLeast, type Kernel } from './quirks/kernel-release.ts'
import type { TopologyNode } from './topology-node.ts'

export type AcsSettings = {
  /**
   * `kernel`: as it will be once Linux has switched on what each capability offers (it does so only with an
   * IOMMU found at early boot, so a control word read with the IOMMU off says nothing). `as-read`: the
   * control word decides.
   */
  readonly control: 'kernel' | 'as-read'
  readonly kernel: Kernel | undefined
  /** The firmware has an AMD IVRS table. */
  readonly hasIvrs: Judged
  /** `pci=disable_acs_redir=` or `pci=config_acs=` is given: controls may be taken back per device. */
  readonly controlsOverridden: boolean
  /** `pcie_acs_override=` of a patched kernel, to see what it would claim; absent: the plain truth. */
  readonly override?: AcsOverride
  /**
   * Domains in which some image holds the extended part: there, a 256-byte image is a function the kernel
   * sees no more of.
   */
  readonly extendedDomains: ReadonlySet<number>
}

const required =
  acsFlag.sourceValidation | acsFlag.requestRedirect | acsFlag.completionRedirect | acsFlag.upstreamForwarding

/** The kernel's answer for one function. */
export function judgeAcs(node: TopologyNode, settings: AcsSettings): Judged {
  const { device } = node
  const stated = judgeQuirks(node, settings)
  if (stated) return stated
  const plain = judgePlainAcs(node, settings)
  const overridden = settings.override ? claimOverride(node, settings.override) : undefined
  if (overridden) return overridden
  if (!couldQuirkTurn(device, plain)) return plain
  // Integrated endpoints are Intel's nearly always, and Intel states isolation for all of its own.
  const guess = plain.value || (device.vendorId === undefined && portTypeOf(device) === 'rootComplexEndpoint')
  return { value: guess, sure: false }
}

/** Without ids no quirk could be looked up, and one may say otherwise. */
function couldQuirkTurn(device: PciDevice, plain: Judged): boolean {
  if (device.vendorId === undefined) return true
  return (
    device.deviceId === undefined &&
    acsQuirksOf(device.vendorId).some((row) => mayConcern(row, device, plain))
  )
}

/** Could this row, for some device id, give another answer? */
function mayConcern(row: AcsQuirk, device: PciDevice, plain: Judged): boolean {
  const portType = portTypeOf(device)
  const isRootPort = portType === 'rootPort' || portType === undefined
  switch (row.rule) {
    case 'isolated':
      return (
        !plain.value &&
        (row.classPrefix === undefined || device.classCode?.startsWith(row.classPrefix) !== false)
      )
    case 'amdSouthbridge':
      return !plain.value
    case 'rootComplexEndpoint':
      return false
    case 'olderPch':
    case 'dwordPackedPch':
    case 'rootPort':
      return isRootPort && !plain.value
    case 'onlyThesePorts':
      return isRootPort || portType === 'downstreamPort'
    case 'onlyTheseDevices':
      return true
  }
}

function judgePlainAcs(node: TopologyNode, settings: AcsSettings): Judged {
  const facts = node.device.facts
  const portType = portTypeOf(node.device)
  if (portType === null) return no
  if (portType === undefined) return guessWithoutPortType(node, facts)
  switch (portType) {
    case 'pciToPcieBridge':
    case 'pcieToPciBridge':
    case 'rootComplexEventCollector':
      return no
    case 'rootPort':
    case 'downstreamPort':
      return judgeControls(node, facts, settings)
    case 'endpoint':
    case 'legacyEndpoint':
    case 'upstreamPort':
    case 'rootComplexEndpoint': {
      const multifunction = judgeMultifunction(node)
      if (multifunction.sure) return multifunction.value ? judgeControls(node, facts, settings) : yes
      const controls = judgeControls(node, facts, settings)
      return controls.value && controls.sure ? yes : probablyYes
    }
  }
}

/** Header alone: a lone function may be fine, a bridge or a multifunction device is taken as not isolated. */
function guessWithoutPortType(node: TopologyNode, facts: FunctionFacts | undefined): Judged {
  const isBridge =
    node.device.headerType === 1 || facts?.headerType === 1 || node.device.classCode?.startsWith('0604')
  return isBridge || judgeMultifunction(node).value ? probablyNo : probablyYes
}

/**
 * `pci_acs_flags_enabled`: what the capability lacks counts as hard-wired; without the capability nothing is.
 */
function judgeControls(node: TopologyNode, facts: FunctionFacts | undefined, settings: AcsSettings): Judged {
  const acs = facts?.acs
  if (acs === null) return no
  if (acs === undefined) {
    const kernelSeesNoMore = facts?.depth === 'standard' && settings.extendedDomains.has(node.parts.domain)
    return kernelSeesNoMore ? no : probablyNo
  }
  if (settings.controlsOverridden) return { value: controlsSuffice(acs.capability, acs.control), sure: false }
  if (settings.control === 'kernel') return yes
  const capability = capabilityOf(node.device, acs, settings.kernel)
  if (capability === undefined || acs.control === undefined) return probablyYes
  return controlsSuffice(capability, acs.control) ? yes : no
}

/**
 * Are this function's controls on as Linux switches them on? Then `kernel` and `as-read` give the same answer
 * for it. False where that depends on what only `judgeAcs` looks at.
 */
export function isSwitchedOn({ device }: TopologyNode): boolean {
  const acs = device.facts?.acs
  if (!acs) return true
  if (!controlsSuffice(acs.capability, acs.control) || device.vendorId === brokenSourceValidation.vendor)
    return false
  const rows =
    device.vendorId === undefined || device.deviceId === undefined
      ? []
      : acsRowsFor(device.vendorId, device.deviceId)
  return (
    rows.every(({ quirk }) => quirk.rule !== 'dwordPackedPch') ||
    controlsSuffice(acs.capabilityDword, acs.controlDword)
  )
}

function controlsSuffice(capability: number | undefined, control: number | undefined): boolean {
  if (capability === undefined || control === undefined) return false
  const needed = required & (capability | acsFlag.egressControl)
  return (control & needed) === needed
}

function capabilityOf(device: PciDevice, acs: AcsFacts, kernel: Kernel | undefined): number | undefined {
  const { vendor, devices, since } = brokenSourceValidation
  if (device.vendorId !== vendor || !devices(idOf(device)) || acs.capability === undefined)
    return acs.capability
  const drops = holdsFor(since, kernel)
  return drops === undefined ? undefined : drops ? acs.capability & ~acsFlag.sourceValidation : acs.capability
}

function idOf(device: PciDevice): number {
  return device.deviceId === undefined ? -1 : Number.parseInt(device.deviceId, 16)
}

function judgeQuirks(node: TopologyNode, settings: AcsSettings): Judged | undefined {
  const { vendorId, deviceId } = node.device
  if (vendorId === undefined) return undefined
  const rows = deviceId === undefined ? acsRowsForAny(vendorId) : acsRowsFor(vendorId, deviceId)
  const answer = judgeRows(rows, node, settings)
  // The table was read from kernels since 6.1; an older one may lack the row.
  const isOlder = settings.kernel !== undefined && !isAtLeast(settings.kernel.version, [6, 1])
  return answer && isOlder ? { value: answer.value, sure: false } : answer
}

/** The first row that decides. Of a row that this kernel may have or not, both answers count. */
function judgeRows(rows: readonly AskedRow[], node: TopologyNode, settings: AcsSettings): Judged | undefined {
  for (const [at, { quirk, listed, since }] of rows.entries()) {
    const holds = since === undefined ? true : holdsFor(since, settings.kernel)
    const answer = judgeQuirk(quirk, listed && holds !== false, node, settings)
    if (holds === undefined && answer) {
      const rest = () => judgeRows(rows.slice(at + 1), node, settings) ?? judgePlainAcs(node, settings)
      const other = judgeQuirk(quirk, false, node, settings) ?? rest()
      return answer.value === other.value && answer.sure && other.sure ? answer : probablyNo
    }
    if (answer) return answer
  }
  return undefined
}

/** A row speaks of the function that this kernel may have or not. */
export function isRowInDoubt(
  { device: { vendorId, deviceId } }: TopologyNode,
  { kernel }: AcsSettings,
): boolean {
  if (vendorId === undefined || deviceId === undefined) return false
  return acsRowsFor(vendorId, deviceId).some(
    ({ since }) => since !== undefined && holdsFor(since, kernel) === undefined,
  )
}

/** `undefined` is the kernel's -ENOTTY: ask the next row. */
function judgeQuirk(
  quirk: AcsQuirk,
  listed: boolean,
  node: TopologyNode,
  settings: AcsSettings,
): Judged | undefined {
  const portType = portTypeOf(node.device)
  switch (quirk.rule) {
    case 'isolated':
      return listed ? yes : undefined
    case 'amdSouthbridge': {
      if (!listed || node.parent || !judgeMultifunction(node).value) return undefined
      return settings.hasIvrs.sure ? (settings.hasIvrs.value ? yes : undefined) : { ...settings.hasIvrs }
    }
    case 'rootComplexEndpoint':
      return portType === 'rootComplexEndpoint' ? yes : undefined
    case 'olderPch':
      return listed && (portType === 'rootPort' || portType === undefined) ? judgeOlderPch(node) : undefined
    case 'dwordPackedPch':
      return listed && portType === 'rootPort'
        ? judgeDwordPacked(node.device.facts?.acs, settings)
        : undefined
    case 'rootPort':
      return listed && portType === 'rootPort' ? yes : undefined
    case 'onlyThesePorts':
      if (portType !== 'rootPort' && portType !== 'downstreamPort') return undefined
      return listed ? yes : no
    case 'onlyTheseDevices':
      return listed ? yes : no
  }
}

/**
 * Ports of Ibex Peak to 9 series have no ACS capability. Linux switches peer-to-peer off through registers it
 * finds by RCBA; that works when the LPC bridge 1f.0 of the same bus says RCBA is enabled (dword 0xf0, bit
 * 0).
 */
function judgeOlderPch(node: TopologyNode): Judged {
  const lpc = node.onBus.find((n) => n.parts.slot === 0x1f && n.parts.function === 0)
  const enabled = lpc?.device.facts?.rcbaEnabled
  // Firmware enables it practically always, so that is the guess.
  if (enabled === undefined) return probablyYes
  return enabled ? yes : no
}

/** Control sits at capability + 8; lspci prints the wrong word, so only bytes show what is on now. */
function judgeDwordPacked(acs: AcsFacts | null | undefined, settings: AcsSettings): Judged | undefined {
  if (!acs) return undefined
  if (settings.controlsOverridden) return probablyYes
  if (settings.control === 'kernel') return yes
  if (acs.capabilityDword === undefined || acs.controlDword === undefined) return probablyYes
  return controlsSuffice(acs.capabilityDword, acs.controlDword) ? yes : no
}
