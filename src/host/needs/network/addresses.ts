/**
 * The IPv4 addresses by which this host is reached: its addresses on the interfaces of the default routes and
 * of open sessions. A trial boot must bring them up again.
 */
import type { Reading } from '../../read/reading.ts'
import { defaultRoutes, networkFacts } from './facts.ts'
import { wantedSessions } from './wanted.ts'

export function readReachedAddresses(reading: Reading): string[] {
  const facts = networkFacts(reading)
  const names = new Set(defaultRoutes(facts).map((route) => route.interface))
  for (const { interfaces } of wantedSessions(facts).sessions) for (const name of interfaces) names.add(name)
  const own = facts.addresses.list.filter(
    ({ bytes, interfaces }) => bytes.length === 4 && interfaces.some((name) => names.has(name)),
  )
  return [...new Set(own.map(({ bytes }) => bytes.join('.')))]
}
