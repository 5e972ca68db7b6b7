/** The smallest set of demands that cannot be met together: leave any one of them out and the others can. */
import { findHallSet } from './matching.ts'
import type { Prepared } from './problem.ts'
import { solve } from './search.ts'
import { emptyState } from './state.ts'

export type Conflict = {
  readonly demands: readonly number[]
  /** False when the budget ran out first: the set conflicts, but a smaller one may as well. */
  readonly isMinimal: boolean
}

/**
 * QuickXplain (Junker 2004): halves the set, so that a small conflict among many demands costs few solves.
 * Earlier demands are the ones kept out of it when there is a choice.
 */
export function findConflict(prepared: Prepared, demands: readonly number[], budget: number): Conflict {
  let left = budget
  let isMinimal = true
  const cannot = (set: readonly number[]): boolean => {
    if (set.length === 0) return false
    if (left <= 0) {
      isMinimal = false
      return false
    }
    const outcome = solve(prepared, set, { budget: left })
    left -= outcome.looked + 1
    if (outcome.kind === 'unknown') isMinimal = false
    return outcome.kind === 'impossible'
  }
  const explain = (
    background: readonly number[],
    hasDelta: boolean,
    set: readonly number[],
  ): readonly number[] => {
    if (hasDelta && cannot(background)) return []
    if (set.length <= 1) return set
    const half = Math.ceil(set.length / 2)
    const [first, second] = [set.slice(0, half), set.slice(half)]
    const needed = explain([...background, ...first], first.length > 0, second)
    return [...explain([...background, ...needed], needed.length > 0, first), ...needed]
  }
  const start =
    findHallSet(prepared, demands, emptyState(prepared)) ??
    clustersOf(prepared, demands).find(cannot) ??
    demands
  const found = explain([], false, start).toSorted((a, b) => a - b)
  return isMinimal ? { demands: found, isMinimal } : { demands: start, isMinimal }
}

/**
 * Demands that a conflict is likely to be among: those of one word, of one VM, and of all VMs that share a
 * word. Looking there first spares the search through everything that has nothing to do with it.
 */
function clustersOf(prepared: Prepared, demands: readonly number[]): number[][] {
  const byWord = groupBy(demands, (demand) =>
    [prepared.cardWordOf[demand] ?? -1, prepared.pairWordOf[demand] ?? -1].filter((word) => word !== -1),
  )
  const byVm = groupBy(demands, (demand) => [prepared.vmOf[demand] ?? -1])
  const around = byWord.map((cluster) => {
    const vms = new Set(cluster.map((demand) => prepared.vmOf[demand]))
    return demands.filter((demand) => vms.has(prepared.vmOf[demand]))
  })
  return [...byWord, ...byVm, ...around].filter(
    (cluster) => cluster.length > 1 && cluster.length < demands.length,
  )
}

function groupBy(demands: readonly number[], keysOf: (demand: number) => readonly number[]): number[][] {
  const groups = new Map<number, number[]>()
  for (const demand of demands)
    for (const key of keysOf(demand)) {
      const group = groups.get(key)
      if (group) group.push(demand)
      else groups.set(key, [demand])
    }
  return [...groups.values()]
}
