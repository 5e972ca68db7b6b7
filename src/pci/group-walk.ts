/**
 * One run of the kernel's grouping (`pci_device_group`, drivers/iommu/iommu.c; the same text in 6.1, 6.12 and
 * 7.2) over a topology, with every doubt settled one way. Several runs with doubts settled differently show
 * what is certain; that comparison is predict-groups.ts.
 */
import type { Judged } from './judged.ts'
import { judgeMultifunction } from './multifunction.ts'
import { judgeAcs, type AcsSettings } from './acs.ts'
import { aliases, hasAliasQuirk, judgeTakesOver, translatesBelow } from './dma-alias.ts'
import type { Topology, TopologyNode } from './topology-node.ts'

/** How doubts are settled: as guessed, all towards bigger groups, or all towards smaller ones. */
export type Leaning = 'guess' | 'merge' | 'split'

export type WalkSettings = {
  readonly acs: AcsSettings
  /**
   * The requester id on its own bus (slot << 3 | function) that a firmware table adds to a function; a table
   * that was not read may add any.
   */
  readonly firmwareAliases: (node: TopologyNode) => number | 'any' | undefined
  /** The function whose requester id stands for this one (VMD). */
  readonly realRequester: (node: TopologyNode) => TopologyNode | undefined
  /** Functions the IOMMU does not translate for: they get no group. */
  readonly ungrouped: ReadonlySet<TopologyNode>
}

export type Walk = {
  readonly groupOf: ReadonlyMap<TopologyNode, number>
  readonly groups: readonly (readonly TopologyNode[])[]
  /** Some doubt was met, so a run leaning otherwise may differ. */
  readonly doubtful: boolean
  /**
   * Leaning towards merging: groups between which a function had the choice. The kernel takes the first it
   * meets, and which that is may turn with a doubt, to a result that neither leaning shows.
   */
  readonly contested: ReadonlySet<number>
}

type State = {
  readonly topology: Topology
  readonly settings: WalkSettings
  readonly leaning: Leaning
  readonly groupOf: Map<TopologyNode, number>
  readonly acs: Map<TopologyNode, boolean>
  readonly pathIsolated: Map<TopologyNode, boolean>
  readonly aliasBuses: Set<readonly TopologyNode[]>
  readonly contested: Set<number>
  doubtful: boolean
}

export function walkGroups(topology: Topology, settings: WalkSettings, leaning: Leaning): Walk {
  const state: State = {
    topology,
    settings,
    leaning,
    groupOf: new Map(),
    acs: new Map(),
    pathIsolated: new Map(),
    aliasBuses: new Set(),
    contested: new Set(),
    doubtful: false,
  }
  for (const node of topology.nodes) {
    if (hasAliasQuirk(node) || settings.firmwareAliases(node) !== undefined) {
      state.aliasBuses.add(node.onBus)
    }
  }
  const groups: TopologyNode[][] = []
  for (const node of topology.nodes) {
    if (settings.ungrouped.has(node)) continue
    const known = findGroup(node, state)
    // An array made empty grows to room for seventeen with its first member, and most groups have no second.
    const id = known ?? groups.push([node]) - 1
    state.groupOf.set(node, id)
    if (known !== undefined) groups[id]?.push(node)
  }
  return { groupOf: state.groupOf, groups, doubtful: state.doubtful, contested: state.contested }
}

/** `towardsMerge` is what the answer would be if the doubt makes the group bigger. */
function settle(judged: Judged, towardsMerge: boolean, state: State): boolean {
  if (judged.sure) return judged.value
  state.doubtful = true
  if (state.leaning === 'guess') return judged.value
  return state.leaning === 'merge' ? towardsMerge : !towardsMerge
}

function isIsolated(node: TopologyNode, state: State): boolean {
  const known = state.acs.get(node)
  if (known !== undefined) return known
  const value = settle(judgeAcs(node, state.settings.acs), false, state)
  state.acs.set(node, value)
  return value
}

/** Every bridge from this one up to the root bus is isolated. */
function isPathIsolated(bridge: TopologyNode, state: State): boolean {
  const chain: TopologyNode[] = []
  let at: TopologyNode | undefined = bridge
  while (at && !state.pathIsolated.has(at)) {
    chain.push(at)
    at = at.parent
  }
  let value = at ? (state.pathIsolated.get(at) ?? true) : true
  for (const step of chain.reverse()) {
    value = value && isIsolated(step, state)
    state.pathIsolated.set(step, value)
  }
  return value
}

function findGroup(start: TopologyNode, state: State): number | undefined {
  const { settings, groupOf } = state
  const node = settings.realRequester(start) ?? start
  let last = node
  if (groupOf.has(last)) return groupOf.get(last)
  for (let bridge = node.parent; bridge; bridge = bridge.parent) {
    if (translatesBelow(bridge.device)) break
    if (!settle(judgeTakesOver(bridge, settings.acs.kernel), true, state)) continue
    last = bridge
    if (groupOf.has(last)) return groupOf.get(last)
  }
  for (let bridge = last.parent; bridge && !isPathIsolated(bridge, state); bridge = bridge.parent) {
    last = bridge
    if (groupOf.has(last)) return groupOf.get(last)
  }
  if (!state.aliasBuses.has(last.onBus) && !mayShareSlot(last, state)) return undefined
  const visited = new Set<number>()
  return findAliasGroup(last, visited, state) ?? findFunctionGroup(last, visited, state)
}

function devfn(node: TopologyNode): number {
  return (node.parts.slot << 3) | node.parts.function
}

/** Functions of one bus that alias each other, directly or through a third, share a group. */
function findAliasGroup(node: TopologyNode, visited: Set<number>, state: State): number | undefined {
  if (visited.has(devfn(node))) return undefined
  visited.add(devfn(node))
  const known = state.groupOf.get(node)
  if (known !== undefined) return known
  if (!state.aliasBuses.has(node.onBus)) return undefined
  let found: number | undefined
  for (const other of node.onBus) {
    if (visited.has(devfn(other)) || !areAliases(node, other, state)) continue
    const group = findAliasGroup(other, visited, state) ?? findFunctionGroup(other, visited, state)
    if (group !== undefined && state.leaning !== 'merge') return group
    found = choose(found, group, state)
  }
  return found
}

/** The first of both; leaning towards merging, that there was a choice is noted. */
function choose(found: number | undefined, group: number | undefined, state: State): number | undefined {
  if (found !== undefined && group !== undefined && found !== group) state.contested.add(found).add(group)
  return found ?? group
}

function areAliases(a: TopologyNode, b: TopologyNode, state: State): boolean {
  if (hasFirmwareAlias(a, b, state) || hasFirmwareAlias(b, a, state)) return true
  return settle(aliases(a, b.parts), true, state) || settle(aliases(b, a.parts), true, state)
}

function hasFirmwareAlias(from: TopologyNode, to: TopologyNode, { settings }: State): boolean {
  const alias = settings.firmwareAliases(from)
  return alias === 'any' || alias === devfn(to)
}

function mayShareSlot(node: TopologyNode, state: State): boolean {
  return settle(judgeMultifunction(node), true, state) && !isIsolated(node, state)
}

/** A multifunction device without isolation between its functions. */
function findFunctionGroup(node: TopologyNode, visited: Set<number>, state: State): number | undefined {
  if (!mayShareSlot(node, state)) return undefined
  let found: number | undefined
  for (const other of node.onBus) {
    if (other === node || other.parts.slot !== node.parts.slot || isIsolated(other, state)) continue
    const group = findAliasGroup(other, visited, state)
    if (group !== undefined && state.leaning !== 'merge') return group
    found = choose(found, group, state)
  }
  return found
}
