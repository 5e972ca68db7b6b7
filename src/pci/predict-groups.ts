/**
 * Which IOMMU groups Linux will form, predicted from configuration space alone (no IOMMU needed), and how
 * certain that is. Rule: never wrong with `high`. The walk runs with every doubt settled as guessed, then
 * towards merging, then towards splitting; a group is `high` only if all runs agree on it and nothing outside
 * the model (VMD, foreign platforms) touches it.
 */
import { type PciAddress } from './address.ts'
import type { PciDevice } from './device.ts'
import { findUncovered } from './dmar.ts'
import { type Walk, walkGroups, type WalkSettings } from './group-walk.ts'
import type { IvrsUnit } from './ivrs.ts'
import { isRowInDoubt, isSwitchedOn } from './acs.ts'
import {
  changesAcs,
  findPlatform,
  isHostBridge,
  isIommuFunction,
  isVmdDomain,
  overriddenSettings,
  type Platform,
} from './platform.ts'
import type { PlatformOptions } from './platform.ts'
import { isVmdEndpoint } from './quirks/dma-alias-quirks.ts'
import type { Topology, TopologyNode } from './topology-node.ts'

/** Why a group is only `low`, in words for a note. */
export type Doubt =
  | 'which functions are virtual is not known'
  | 'platform is not known to be x86'
  | 'behind a VMD'
  | 'configuration space does not answer'
  | 'the bridge above is missing from the input'
  | 'too little of configuration space is known'
  | 'the kernel command line overrides ACS'
  | 'the firmware table IVRS was not read'
  | 'whether this kernel has a quirk of the device is not known'
  | 'this kernel forms groups by rules of its own'

export type PredictedGroup = {
  readonly devices: readonly PciAddress[]
  readonly confidence: 'high' | 'low'
  readonly doubts: readonly Doubt[]
}

/** Some function shows more than its header: only then is there anything to predict groups from. */
export function canPredictGroups(devices: readonly PciDevice[]): boolean {
  return devices.some(({ facts, config }) => {
    const depth =
      facts?.depth ?? (config === undefined ? 'none' : config.length < 512 ? 'header' : 'standard')
    return depth === 'standard' || depth === 'extended'
  })
}

const noDoubts: readonly Doubt[] = []

export function predictFromTopology(topology: Topology, options: PlatformOptions): readonly PredictedGroup[] {
  const platform = findPlatform(topology, options)
  const settings = findWalkSettings(topology, platform)
  const guess = walkGroups(topology, settings, 'guess')
  const others = guess.doubtful
    ? [walkGroups(topology, settings, 'merge'), walkGroups(topology, settings, 'split')]
    : []
  const aliasesUnread = platform.kind === 'amd' && !platform.ivrs
  const aliased =
    aliasesUnread && walkGroups(topology, { ...settings, firmwareAliases: () => 'any' }, 'merge')
  const override = overriddenSettings(settings.acs, options.cmdline)
  const claimed = override && walkGroups(topology, { ...settings, acs: override }, 'guess')
  const unsure = findMaybeVirtual(topology)
  const doubts = new Set<Doubt>()
  return guess.groups.map((members) => {
    // Clearing makes new room, and nearly always there is nothing to clear.
    if (doubts.size > 0) doubts.clear()
    for (const node of members) addDoubts(doubts, node, platform, unsure)
    if (others.some((walk) => !hasSameGroup(walk, members))) doubts.add(whyUnsure(members, platform))
    if (aliased && !hasSameGroup(aliased, members)) doubts.add('the firmware table IVRS was not read')
    if (claimed && !hasSameGroup(claimed, members)) doubts.add('the kernel command line overrides ACS')
    return {
      devices: addressesOf(members),
      confidence: doubts.size === 0 ? 'high' : 'low',
      doubts: doubts.size === 0 ? noDoubts : [...doubts],
    }
  })
}

function whyUnsure(members: readonly TopologyNode[], { settings }: Platform): Doubt {
  for (const member of members)
    for (let node: TopologyNode | undefined = member; node; node = node.parent)
      if (isRowInDoubt(node, settings)) return 'whether this kernel has a quirk of the device is not known'
  return 'too little of configuration space is known'
}

/** Most groups have one member. */
function addressesOf(members: readonly TopologyNode[]): readonly PciAddress[] {
  const only = members.length === 1 ? members[0] : undefined
  return only ? [only.address] : members.map((node) => node.address).toSorted()
}

/**
 * What the hardware gives: `pcie_acs_override=` and the like left out. With `as-read`, as its controls are
 * now.
 */
export function predictFromHardware(
  topology: Topology,
  { cmdline: _cmdline, ...plain }: PlatformOptions,
): readonly PredictedGroup[] {
  return predictFromTopology(topology, plain)
}

/**
 * Is `predictFromHardware`, with whatever control, the same as `predictFromTopology` with the kernel's? On
 * most machines it is.
 */
export function isHardwareAsPredicted(topology: Topology, { cmdline }: PlatformOptions): boolean {
  return !changesAcs(cmdline) && topology.nodes.every(isSwitchedOn)
}

function hasSameGroup(walk: Walk, members: readonly TopologyNode[]): boolean {
  const first = members[0]
  const id = first && walk.groupOf.get(first)
  if (id === undefined || walk.groups[id]?.length !== members.length || walk.contested.has(id)) return false
  return members.every((node) => walk.groupOf.get(node) === id)
}

function addDoubts(
  doubts: Set<Doubt>,
  node: TopologyNode,
  platform: Platform,
  maybeVirtual: ReadonlySet<TopologyNode>,
): void {
  if (maybeVirtual.has(node)) doubts.add('which functions are virtual is not known')
  if (platform.kind === 'other' || platform.kind === 'unknown') doubts.add('platform is not known to be x86')
  if (platform.settings.kernel?.hasOtherGroups) doubts.add('this kernel forms groups by rules of its own')
  if (isVmdDomain(node)) doubts.add('behind a VMD')
  if (node.device.facts?.notAnswering) doubts.add('configuration space does not answer')
  for (let at: TopologyNode | undefined = node; at; at = at.parent) {
    if (!at.parentUnsure) continue
    doubts.add('the bridge above is missing from the input')
    break
  }
  // Real AMD firmware leaves 00:00.0 out of its IVRS; only the table shows that.
  const unsureCover = platform.kind === 'amd' && !platform.ivrs && !node.parent && isHostBridge(node.device)
  if (unsureCover && node.parts.slot === 0) doubts.add('the firmware table IVRS was not read')
}

/**
 * `lspci -v` says that a function has SR-IOV, but not where its virtual functions are: any function beside it
 * of the same vendor and class (PCIe 9.3.4: VFs have the class of their PF) may be one, and then does not
 * share the slot's group.
 */
function findMaybeVirtual(topology: Topology): ReadonlySet<TopologyNode> {
  const found = new Set<TopologyNode>()
  for (const physical of topology.nodes) {
    const { facts, vendorId, classCode } = physical.device
    if (!facts?.sriovUncounted) continue
    for (const node of physical.onBus) {
      const isAlike =
        node.device.vendorId === vendorId && node.device.classCode?.slice(0, 4) === classCode?.slice(0, 4)
      if (node !== physical && isAlike && !node.physicalFunction) found.add(node).add(physical)
    }
  }
  return found
}

function findWalkSettings(topology: Topology, platform: Platform): WalkSettings {
  const { ivrs } = platform
  const vmd = findVmdEndpoint(topology)
  const aliasOf = new Map<TopologyNode, number>()
  for (const unit of ivrs?.units ?? []) addFirmwareAliases(topology, unit, aliasOf)
  return {
    acs: platform.settings,
    firmwareAliases: (node) => aliasOf.get(node),
    realRequester: (node) => (isVmdDomain(node) ? vmd : undefined),
    ungrouped: findUngrouped(topology, platform),
  }
}

/** Only an alias on the function's own bus concerns groups (`setup_aliases`, drivers/iommu/amd/iommu.c). */
function addFirmwareAliases(topology: Topology, unit: IvrsUnit, aliasOf: Map<TopologyNode, number>): void {
  if (unit.aliases.length === 0) return
  for (const node of topology.nodes) {
    if (node.parts.domain !== unit.segment) continue
    const id = requesterId(node)
    for (const { from, to } of unit.aliases) {
      const applies = id >= from.first && id <= from.last && to !== id && to >> 8 === node.parts.bus
      if (applies) aliasOf.set(node, to & 0xff)
    }
  }
}

function requesterId({ parts }: TopologyNode): number {
  return (parts.bus << 8) | (parts.slot << 3) | parts.function
}

/**
 * Behind one VMD all share its requester id; with several, no domain belongs to one of them for sure. A
 * listing without ids shows its driver.
 */
function findVmdEndpoint(topology: Topology): TopologyNode | undefined {
  const found = topology.nodes.filter(({ device }) => device.driver === 'vmd' || isVmdEndpoint(device))
  return found.length === 1 ? found[0] : undefined
}

/** AMD's IOMMU functions never have a group; with the table at hand, neither has what no unit covers. */
function findUngrouped(topology: Topology, platform: Platform): ReadonlySet<TopologyNode> {
  const ungrouped = new Set<TopologyNode>()
  if (platform.dmar) {
    for (const address of findUncovered(topology, platform.dmar)) {
      const node = topology.byAddress.get(address)
      if (node) ungrouped.add(node)
    }
  }
  if (platform.kind !== 'amd') return ungrouped
  const covers = platform.ivrs?.units.flatMap((unit) =>
    unit.covers.map((range) => ({ ...range, segment: unit.segment })),
  )
  for (const node of topology.nodes) {
    const id = requesterId(node)
    const covered = covers?.some((c) => c.segment === node.parts.domain && id >= c.first && id <= c.last)
    if (isIommuFunction(node.device) || covered === false) ungrouped.add(node)
  }
  return ungrouped
}
