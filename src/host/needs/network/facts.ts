/** The facts about the host's network, read once for each Reading and shared by all readers of its needs. */
import type { Reading } from '../../read/reading.ts'
import { addressBytes, isNearDefault, type Route } from './routes.ts'
import { readConnections, type Connections } from './connections.ts'
import { readInterfaces, type Interfaces, type NetInterface } from './interfaces.ts'
import { connectedInterfaces, readOwnAddresses, type OwnAddresses } from './own-addresses.ts'
import { readRouteTables, type RouteTables } from './route-tables.ts'
import { askKernel } from './rtnetlink.ts'

export type NetworkFacts = {
  readonly reading: Reading
  readonly interfaces: Interfaces
  readonly tables: RouteTables
  readonly addresses: OwnAddresses
  readonly connections: Connections
  /** The kernel answered, so the kind of each interface is known. */
  readonly isAnswered: boolean
}

const known = new WeakMap<Reading, NetworkFacts>()

export function networkFacts(reading: Reading): NetworkFacts {
  const before = known.get(reading)
  if (before !== undefined) return before
  const answer = askKernel(reading, 'address')
  const interfaces = readInterfaces(reading, answer)
  const tables = readRouteTables(reading)
  const addresses = readOwnAddresses(reading, answer, { tables, interfaces })
  const isAnswered = answer.state === 'known'
  const facts = { reading, interfaces, tables, addresses, connections: readConnections(reading), isAnswered }
  known.set(reading, facts)
  return facts
}

/**
 * Kinds of interfaces whose packets are sent inside other packets of the host, on the route to the other end.
 */
const tunnelKinds =
  /^(?:tunnel|tun|wireguard|ipip|sit|gre|gretap|erspan|ip6tnl|ip6gre|ip6gretap|ip6erspan|vti6?|xfrm|vxlan|geneve|bareudp|gtp|amt|l2tp|l2tpeth|ovpn|fou)$/

export function isTunnel(one: NetInterface | undefined): boolean {
  return one !== undefined && one.owner === undefined && tunnelKinds.test(one.kind ?? '')
}

/** The default routes in tables to which a rule sends packets. */
export function defaultRoutes({ tables }: NetworkFacts): Route[] {
  return tables.routes.filter((route) => isNearDefault(route) && isUsed(tables, route))
}

export function isUsed({ usedTables }: RouteTables, { table }: Route): boolean {
  return usedTables === undefined || table === undefined || usedTables.has(table)
}

/** The interfaces with this address. If no list has it, the interfaces whose own network holds it. */
export function interfacesWith(facts: NetworkFacts, address: string): readonly string[] {
  const scope = address.split('%')[1]
  if (scope !== undefined && facts.interfaces.byName.has(scope)) return [scope]
  const bytes = addressBytes(address)
  if (bytes === undefined) return []
  const same = facts.addresses.list.filter((own) => isSame(own.bytes, bytes))
  const names = [...new Set(same.flatMap(({ interfaces }) => interfaces))]
  return names.length > 0 ? names : connectedInterfaces(facts.tables, bytes)
}

/**
 * Interfaces with a route, or with an address that is not link-local (the kernel gives a link-local address
 * to every interface that is up).
 */
export function addressedInterfaces(facts: NetworkFacts): Set<string> {
  const names = new Set(facts.tables.routes.map((route) => route.interface))
  for (const own of facts.addresses.list)
    if (!own.isLinkLocal) for (const name of own.interfaces) names.add(name)
  return names
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
