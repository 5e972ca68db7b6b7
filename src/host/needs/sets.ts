/**
 * Ends of trails that stand together. What needs all of several things ends at every one of them. What needs
 * one of several (a mirror, paths to one disk) ends at a set, whose legs may go as long as another leg
 * stands.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { End } from './ends.ts'

export type Leg = {
  readonly ends: readonly End[]
  /** Broken, absent or being rebuilt today: the need does not stand on it. */
  readonly isBroken?: boolean
}

/** One of the legs is enough. `set` names the whole. */
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
 * Functions of which each alone carries the need without `leg`. A leg that spans several functions is no such
 * thing: it stands on all of them, and a list of alternatives cannot say so.
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

/**
 * One end of each kind and place: stacks in which many roads lead to one disk would have ends without number.
 */
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
