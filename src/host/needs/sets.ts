/**
 * Combines the ends of several things. A need for all of several things ends at each of them. A need for one
 * of several (a mirror, paths to one disk) ends at a set, and a leg may go as long as another one stays.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { End } from './ends.ts'

export type Leg = {
  readonly ends: readonly End[]
  /** The leg is broken, absent or being rebuilt, so it does not carry the need today. */
  readonly isBroken?: boolean
}

/** One of the legs is enough. `set` is the name of the whole. */
export function anyOf(set: string, legs: readonly Leg[]): End[] {
  return legs.flatMap((leg) => {
    const others = othersOf(legs, leg)
    return leg.ends.map((end) => {
      if (end.to !== 'function') return end
      const known = new Set([...(end.redundant?.others ?? []), ...others])
      known.delete(end.device)
      return known.size === 0 ? end : { ...end, redundant: { set, others: [...known] } }
    })
  })
}

/**
 * The functions that carry the need without `leg`, each by itself. A leg with several functions needs all of
 * them, so it is not in this list.
 */
function othersOf(legs: readonly Leg[], leg: Leg): Set<PciAddress> {
  const others = new Set<PciAddress>()
  for (const one of legs) {
    const function_ = one === leg || one.isBroken === true ? undefined : onlyFunction(one.ends)
    if (function_ !== undefined) others.add(function_)
  }
  return others
}

function onlyFunction(ends: readonly End[]): PciAddress | undefined {
  const functions = new Set(ends.map((end) => (end.to === 'function' ? end.device : undefined)))
  const [only] = functions
  return functions.size === 1 ? only : undefined
}

/** Keeps one of equal ends. Without this, a stack with many paths to one disk would have countless ends. */
export function withoutDoubles(ends: readonly End[]): End[] {
  const seen = new Map<string, End>()
  for (const end of ends) {
    const key = JSON.stringify(
      end.to === 'function'
        ? [end.device, end.redundant]
        : end.to === 'lost'
          ? [end.lost, end.why]
          : [end.why],
    )
    if (!seen.has(key)) seen.set(key, end)
  }
  return [...seen.values()]
}
