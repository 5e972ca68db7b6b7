/** Finds the steps of a journal that were begun. The others changed nothing. */
import type { Journal } from './journal.ts'

/**
 * Undefined: all steps count as begun, since the journal is damaged or the apply succeeded. The event of a
 * beginning is on disk before the step runs.
 */
export function begunSteps({
  events,
  damage,
}: Pick<Journal, 'events' | 'damage'>): ReadonlySet<number> | undefined {
  if (damage.length > 0 || events.some((event) => event.event === 'end' && event.outcome === 'applied'))
    return undefined
  return new Set(
    events.flatMap((event) => (event.event === 'step' && event.phase === 'started' ? [event.index] : [])),
  )
}
