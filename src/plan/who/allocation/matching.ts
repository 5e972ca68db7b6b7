/**
 * The relaxation that prunes the search: every demand gets some function of its own, units and who owns them
 * forgotten. When even that is impossible, the demands reached by the failed search are too many for what
 * they can have (Hall). Demands that may have the same things are counted together, so that hundreds cost as
 * much as a handful.
 */
import type { Prepared } from './problem.ts'

/** What is free now: functions per group, and which card or slot a word means (-1 when it means none yet). */
export type Free = {
  readonly freeInGroup: Int32Array
  readonly cardOfWord: Int32Array
  readonly slotOfWord: Int32Array
}

/** Demands with the same groups, and how many of them each group serves. */
type Bundle = {
  readonly demands: number[]
  readonly groups: readonly number[]
  readonly served: Map<number, number>
  matched: number
}

type Matching = {
  readonly left: Int32Array
  /** Bundles that hold something of a group. */
  readonly holders: Map<number, Set<Bundle>>
}

/** `undefined` when all can be matched; else a set of demands of which every smaller part can be. */
export function findHallSet(
  prepared: Prepared,
  demands: readonly number[],
  free: Free,
): number[] | undefined {
  const matching: Matching = { left: Int32Array.from(free.freeInGroup), holders: new Map() }
  for (const bundle of bundlesOf(prepared, demands, free).values()) {
    fill(bundle, matching)
    while (bundle.matched < bundle.demands.length) {
      const reached = new Set<Bundle>()
      const visited = new Set<number>()
      if (augment(bundle, matching, { reached, visited })) {
        bundle.matched++
        continue
      }
      const tooMany = [...reached].flatMap((one) =>
        one === bundle ? one.demands.slice(0, one.matched + 1) : one.demands.slice(0, one.matched),
      )
      return tooMany.toSorted((a, b) => a - b)
    }
  }
  return undefined
}

function bundlesOf(prepared: Prepared, demands: readonly number[], free: Free): Map<number, Bundle> {
  const bundles = new Map<number, Bundle>()
  for (const demand of demands) {
    const cls = prepared.classOf[demand] ?? -1
    const card = free.cardOfWord[prepared.cardWordOf[demand] ?? -1] ?? -1
    const slot = free.slotOfWord[prepared.pairWordOf[demand] ?? -1] ?? -1
    const key = (cls * (prepared.cardCount + 1) + card + 1) * (prepared.slotCount + 1) + slot + 1
    const known = bundles.get(key)
    if (known) known.demands.push(demand)
    else
      bundles.set(key, {
        demands: [demand],
        groups: groupsOf(prepared, { cls, card, slot }),
        served: new Map(),
        matched: 0,
      })
  }
  return bundles
}

function groupsOf(
  prepared: Prepared,
  { cls, card, slot }: { cls: number; card: number; slot: number },
): readonly number[] {
  const groups = prepared.classGroups[cls] ?? []
  if (card === -1 && slot === -1) return groups
  return groups.filter(
    (group) =>
      (card === -1 || prepared.groupCard[group] === card) &&
      (slot === -1 || prepared.groupSlot[group] === slot),
  )
}

/** Takes what is free, as much as it needs. */
function fill(bundle: Bundle, matching: Matching): void {
  for (const group of bundle.groups) {
    const wanted = bundle.demands.length - bundle.matched
    if (wanted === 0) return
    const taken = Math.min(wanted, matching.left[group] ?? 0)
    if (taken > 0) give(bundle, group, taken, matching)
    bundle.matched += taken
  }
}

function give(bundle: Bundle, group: number, count: number, matching: Matching): void {
  matching.left[group] = (matching.left[group] ?? 0) - count
  change(bundle, group, count, matching)
}

function change(bundle: Bundle, group: number, by: number, matching: Matching): void {
  const count = (bundle.served.get(group) ?? 0) + by
  const holders = matching.holders.get(group) ?? new Set()
  matching.holders.set(group, holders)
  if (count === 0) {
    bundle.served.delete(group)
    holders.delete(bundle)
  } else {
    bundle.served.set(group, count)
    holders.add(bundle)
  }
}

type Trail = { readonly reached: Set<Bundle>; readonly visited: Set<number> }

/** Finds one more function for a bundle, moving others to what they can have instead. */
function augment(bundle: Bundle, matching: Matching, trail: Trail): boolean {
  trail.reached.add(bundle)
  for (const group of bundle.groups) {
    if ((matching.left[group] ?? 0) === 0) continue
    give(bundle, group, 1, matching)
    return true
  }
  for (const group of bundle.groups) {
    if (trail.visited.has(group)) continue
    trail.visited.add(group)
    for (const holder of matching.holders.get(group) ?? []) {
      if (trail.reached.has(holder) || !augment(holder, matching, trail)) continue
      change(holder, group, -1, matching)
      change(bundle, group, 1, matching)
      return true
    }
  }
  return false
}
