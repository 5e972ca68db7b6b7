/**
 * Identifies a plan: `apply --plan HASH` refuses when the host or the spec has changed since the plan was
 * shown.
 */
import type { Plan } from '../plan/types.ts'
import { sha256 } from '../steps/saved.ts'

/** 16 hexadecimal digits, over the assignments and all steps. */
export async function hashPlan(plan: Plan): Promise<string> {
  const { assignments, takenAlong, steps, startOrder } = plan
  return (await sha256(JSON.stringify({ assignments, takenAlong, steps, startOrder }))).slice(0, 16)
}
