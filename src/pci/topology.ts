/**
 * Topology: who is above whom. It owns finding each function's bridge and the place without bus numbers, from
 * contradictory, partial or cyclic statements alike; every walk ends. It judges nothing.
 */
import { type AddressParts, addressParts, type PciAddress } from './address.ts'
import { isBridge, type PciDevice } from './device.ts'
import { hex } from './hex.ts'
import { assignPhysicalFunctions } from './physical-functions.ts'
import { findRootBuses } from './root-buses.ts'
import {
  secondaryBusOf,
  subordinateBusOf,
  type NodeDraft,
  type Topology,
  type TopologyNode,
} from './topology-node.ts'

/** A number: each is looked up several times. */
function busKey(parts: Pick<AddressParts, 'domain' | 'bus'>): number {
  return parts.domain * 0x100 + parts.bus
}

/**
 * Builds the tree from stated parents, else from bridges' bus numbers. Two entries with one address: the
 * first counts. `statedRoots` are buses that the input calls root buses (`0000:80`), where the functions
 * themselves do not say so.
 */
export function findTopology(
  devices: readonly PciDevice[],
  statedRoots: ReadonlySet<string> = noRoots,
): Topology {
  const byAddress = new Map<PciAddress, NodeDraft>()
  for (const device of devices) {
    if (byAddress.has(device.address)) continue
    byAddress.set(device.address, {
      address: device.address,
      parts: addressParts(device.address),
      device,
      onBus: [],
    })
  }
  const drafts = [...byAddress.values()].sort(byPlace)
  const byBus = new Map<number, NodeDraft[]>()
  for (const node of drafts) {
    const key = busKey(node.parts)
    const list = byBus.get(key) ?? []
    if (list.length === 0) byBus.set(key, list)
    list.push(node)
    node.onBus = list
  }
  const leaders = { ...findLeadingBridges(drafts), roots: findRootBuses(byBus, statedRoots) }
  assignPhysicalFunctions(drafts, byAddress)
  for (const node of drafts) assignParent(node.physicalFunction ?? node, node, byAddress, leaders)
  const { depths, isOrdered } = cutEndlessWalks(drafts)
  for (const list of byBus.values()) markContradictions(list)
  return { nodes: isOrdered ? drafts : orderByDepth(drafts, depths), byAddress }
}

/** As compareAddresses, on numbers already read. */
function byPlace({ parts: a }: TopologyNode, { parts: b }: TopologyNode): number {
  return a.domain - b.domain || a.bus - b.bus || a.slot - b.slot || a.function - b.function
}

const noRoots: ReadonlySet<string> = new Set()

type Leaders = {
  /** Buses that are below no bridge for sure. */
  readonly roots: ReadonlySet<number>
  readonly bySecondary: ReadonlyMap<number, NodeDraft>
  readonly contested: ReadonlySet<number>
  /** Buses inside some bridge's range, per domain: a bus in here is no root bus. */
  readonly covered: ReadonlyMap<number, Uint8Array>
  /**
   * Lowest bus of a bridge that does not say where it leads, per domain: no bus above it is surely a root
   * bus.
   */
  readonly openFrom: ReadonlyMap<number, number>
}

function findLeadingBridges(drafts: readonly NodeDraft[]): Omit<Leaders, 'roots'> {
  const bySecondary = new Map<number, NodeDraft>()
  const contested = new Set<number>()
  const covered = new Map<number, Uint8Array>()
  const openFrom = new Map<number, number>()
  for (const node of drafts) {
    const secondary = secondaryBusOf(node.device)
    if (secondary === undefined && !openFrom.has(node.parts.domain) && mayLeadSomewhere(node.device)) {
      openFrom.set(node.parts.domain, node.parts.bus)
    }
    // 0 is a bridge nobody configured; its own bus cannot be below it.
    if (!secondary || secondary > 255 || secondary === node.parts.bus) continue
    const key = busKey({ domain: node.parts.domain, bus: secondary })
    if (bySecondary.has(key)) contested.add(key)
    else bySecondary.set(key, node)
    const buses = covered.get(node.parts.domain) ?? new Uint8Array(256)
    covered.set(node.parts.domain, buses)
    buses.fill(1, secondary, Math.min(subordinateBusOf(node.device) ?? secondary, 255) + 1)
  }
  return { bySecondary, contested, covered, openFrom }
}

/** A bridge whose bus numbers the input does not have, or something that may be one for all it says. */
function mayLeadSomewhere(device: PciDevice): boolean {
  const headerType = device.facts?.headerType ?? device.headerType
  if (headerType !== undefined) return headerType !== 0
  if (device.classCode !== undefined) return isBridge(device)
  const portType = device.facts?.portType ?? device.portType
  return portType === undefined || portType.endsWith('Port') || portType.endsWith('Bridge')
}

/**
 * sysfs says so by its directory tree, which readers keep as `path`: the step before the last is a root bus
 * (`0000:00`).
 */
function isStatedRoot(device: PciDevice): boolean {
  return device.path?.split('/').at(-2)?.includes(':') === true
}

function assignParent(
  at: NodeDraft,
  node: NodeDraft,
  byAddress: ReadonlyMap<PciAddress, NodeDraft>,
  leaders: Leaders,
): void {
  const stated = at.device.parent === undefined ? undefined : byAddress.get(at.device.parent)
  if (stated && stated !== node) {
    node.parent = stated
    // Some listings only say which bridge's range holds a bus: then the bridge in between is missing.
    if (![undefined, at.parts.bus].includes(secondaryBusOf(stated.device))) node.parentUnsure = true
    return
  }
  const key = busKey(at.parts)
  const leader = leaders.bySecondary.get(key)
  if (leader && leader !== node) node.parent = leader
  if (!leader && isStatedRoot(at.device)) return
  const isOpen = at.parts.bus > (leaders.openFrom.get(at.parts.domain) ?? 256)
  const isCovered = leaders.covered.get(at.parts.domain)?.[at.parts.bus] === 1
  const orphan = !leader && (isOpen || isCovered || !leaders.roots.has(key))
  const missing = at.device.parent !== undefined && !leader
  if (leaders.contested.has(key) || orphan || missing) node.parentUnsure = true
}

/** All functions of a bus have one bridge above them, virtual ones included. */
function markContradictions(onBus: readonly NodeDraft[]): void {
  const parent = onBus[0]?.parent
  if (onBus.every((node) => node.parent === parent)) return
  for (const node of onBus) node.parentUnsure = true
}

/** A domain has 256 buses, so nothing hangs deeper. */
const deepest = 256

/**
 * How many bridges are above each function. Where a walk up meets itself, or goes deeper than buses can, the
 * link that does so is dropped; after this every walk ends soon. `isOrdered` if all parents were found before
 * their children and nothing was dropped.
 */
function cutEndlessWalks(drafts: readonly NodeDraft[]): {
  readonly depths: ReadonlyMap<TopologyNode, number>
  readonly isOrdered: boolean
} {
  const depths = new Map<TopologyNode, number>()
  let isOrdered = true
  for (const start of drafts) {
    // Nearly always: the parent comes first, or there is none.
    const known = start.parent ? depths.get(start.parent) : -1
    if (known !== undefined && known < deepest) {
      depths.set(start, known + 1)
      continue
    }
    isOrdered = false
    const walk: NodeDraft[] = []
    const onWalk = new Set<TopologyNode>()
    for (let node: NodeDraft | undefined = start; node && !depths.has(node); node = node.parent) {
      walk.push(node)
      onWalk.add(node)
      if (node.parent && onWalk.has(node.parent)) cutParent(node)
    }
    for (const node of walk.reverse()) {
      const above = node.parent ? (depths.get(node.parent) ?? 0) : -1
      if (above >= deepest) cutParent(node)
      depths.set(node, node.parent ? above + 1 : 0)
    }
  }
  return { depths, isOrdered }
}

function cutParent(node: NodeDraft): void {
  delete node.parent
  node.parentUnsure = true
}

/** Addresses are in this order already, unless a child has a lower bus number than its parent. */
function orderByDepth(
  drafts: readonly NodeDraft[],
  depths: ReadonlyMap<TopologyNode, number>,
): readonly TopologyNode[] {
  const seen = new Set<TopologyNode>()
  const isOrdered = drafts.every((node) => {
    seen.add(node)
    return !node.parent || seen.has(node.parent)
  })
  if (isOrdered) return drafts
  return [...drafts].sort((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0) || byPlace(a, b))
}

function stepOf(parts: AddressParts): string {
  return `${hex(parts.slot, 2)}.${parts.function}`
}

/**
 * A bridge that is named as parent but not listed itself; on bus 0, which always is a root bus, its place is
 * known.
 */
function unlistedRootPort(topology: Topology, { device }: TopologyNode): string | undefined {
  if (device.parent === undefined || topology.byAddress.has(device.parent)) return undefined
  const parts = addressParts(device.parent)
  return parts.bus === 0 ? `${hex(parts.domain, 4)}:00/${stepOf(parts)}` : undefined
}

/**
 * Places without bus numbers: `0000:00/1c.0/00.0` = root bus, then slot.function at each step down; a virtual
 * function is its physical function's place and its rank among that one's VFs: `…/00.0/vf3`. Where a step is
 * unsure there is no place.
 */
export function findPaths(topology: Topology): ReadonlyMap<PciAddress, string> {
  const paths = new Map<PciAddress, string>()
  const taken = new Set<string>()
  const ranks = new Map<TopologyNode, number>()
  const virtual: TopologyNode[] = []
  for (const node of topology.nodes) {
    const { parts, parent } = node
    if (node.physicalFunction) virtual.push(node)
    if (node.physicalFunction) continue
    const root = `${hex(parts.domain, 4)}:${hex(parts.bus, 2)}`
    const above = node.parentUnsure
      ? unlistedRootPort(topology, node)
      : parent
        ? paths.get(parent.address)
        : root
    const path = `${above}/${stepOf(parts)}`
    // Two at one place: the second is on a bus of its own, as only a virtual function can be that does not
    // say so.
    if (above === undefined || taken.has(path)) continue
    taken.add(path)
    paths.set(node.address, path)
  }
  for (const node of virtual) {
    const home = node.physicalFunction
    const above = home && paths.get(home.address)
    if (!home || above === undefined) continue
    const rank = ranks.get(home) ?? 0
    ranks.set(home, rank + 1)
    paths.set(node.address, `${above}/vf${rank}`)
  }
  return paths
}
