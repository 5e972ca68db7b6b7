/**
 * Who gets what: all demands of all VMs against all functions at once, exactly. Keeps what is locked, then
 * prefers as allocation/options.ts says; the same problem has the same answer. When there is none, it says
 * which demands conflict.
 */
import { findConflict, type Conflict } from './allocation/conflict.ts'
import { prepare, type Prepared, type Problem } from './allocation/problem.ts'
import { solve, type Outcome } from './allocation/search.ts'

export type { Demand, Problem, Supply } from './allocation/problem.ts'

export type Allocation =
  | { readonly kind: 'found'; readonly chosen: readonly number[] }
  | ({ readonly kind: 'conflict' } & Conflict)
  /** No answer and no proof within the budget: host and spec are of an unknown kind. */
  | { readonly kind: 'gave-up' }

/**
 * Positions looked at: for an answer or for the smallest conflict, and for a better answer. Counted, not
 * timed, so that the answer never depends on the machine; fewer on huge problems, where each position costs
 * more.
 */
function budgetsFor({ demands, supplies }: Problem): { readonly answer: number; readonly better: number } {
  const size = Math.max(1, demands.length * supplies.length)
  return {
    answer: Math.max(20_000, Math.min(400_000, Math.floor(4e9 / size))),
    better: Math.ceil(100_000 / Math.max(5, demands.length)),
  }
}

export function allocate(problem: Problem): Allocation {
  const prepared = prepare(problem)
  const all = problem.demands.map((_, i) => i)
  const budgets = budgetsFor(problem)
  const fixed = keepLocked(prepared, all, budgets.answer)
  const outcome = solve(prepared, all, { fixed, budget: budgets.answer, improve: budgets.better })
  if (outcome.kind === 'found') return { kind: 'found', chosen: outcome.chosen }
  const free: Outcome =
    fixed.size === 0 ? outcome : solve(prepared, all, { budget: budgets.answer, improve: budgets.better })
  if (free.kind === 'found') return { kind: 'found', chosen: free.chosen }
  const conflict = findConflict(prepared, all, budgets.answer)
  // Where the search ended without proof, a smaller set that cannot be met is proof enough.
  const isProven = free.kind === 'impossible' || (conflict.isMinimal && conflict.demands.length < all.length)
  return isProven ? { kind: 'conflict', ...conflict } : { kind: 'gave-up' }
}

/** All locked places when they fit together; else as many as fit, in the order of the spec. */
function keepLocked(prepared: Prepared, all: readonly number[], budget: number): Map<number, number> {
  const locked = prepared.problem.demands.flatMap(({ locked, candidates }, i) =>
    locked !== undefined && candidates.includes(locked) ? [[i, locked] as const] : [],
  )
  const isPossible = (fixed: Map<number, number>) => solve(prepared, all, { fixed, budget }).kind === 'found'
  if (locked.length === 0 || isPossible(new Map(locked))) return new Map(locked)
  const kept = new Map<number, number>()
  for (const [demand, supply] of locked) {
    kept.set(demand, supply)
    if (!isPossible(kept)) kept.delete(demand)
  }
  return kept
}
