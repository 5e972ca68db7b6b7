/**
 * A short name for exactly this plan: `apply --plan HASH` refuses when the host or the spec has moved since
 * it was shown.
 */
import type { Plan } from '../plan/types.ts'
import { sha256 } from '../steps/saved.ts'

/** 16 hex digits over who gets what and every step. */
export async function hashPlan(plan: Plan): Promise<string> {
  const { assignments, takenAlong, steps, startOrder } = plan
  return (await sha256(JSON.stringify({ assignments, takenAlong, steps, startOrder }))).slice(0, 16)
}
