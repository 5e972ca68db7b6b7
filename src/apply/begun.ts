/**
 * Which steps of a journal were begun: the others changed nothing, whatever somebody else did to their
 * objects since.
 */
import type { Journal } from './journal.ts'

/**
 * Undefined: all of them count, since the journal does not say otherwise for sure. Each beginning is on the
 * disk before its step.
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
