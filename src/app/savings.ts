/** savings: what the boxes that this host replaces would have cost, from the spec alone. */
import { computeSavings, type Savings } from '../plan/outlook/savings.ts'
import { readSpec } from './read-spec.ts'

export function savingsOf(file: string): Savings {
  return computeSavings(readSpec(file, { brokenLock: 'ignore' }).spec.savings)
}
