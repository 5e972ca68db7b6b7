/**
 * Lists the network needs of the host with their interfaces, before they are followed. If the host has a
 * default route, other addresses and bridges are only `spoken-for`. Otherwise the host has no other
 * connection, so every interface with an address and every bridge is vital (a bridge may wait for DHCP).
 */
import { defined } from '../../../base/defined.ts'
import type { NeedStart } from '../ends.ts'
import { readSessions, type Session } from './sessions.ts'
import { interfacesTowards, isDefault } from './routes.ts'
import { addressedInterfaces, defaultRoutes, interfacesWith, isUsed, type NetworkFacts } from './facts.ts'
import type { NetInterface } from './interfaces.ts'
import { readRemoteStorage, type RemoteStorage } from './remote-storage.ts'

export type Wanted = {
  readonly start: NeedStart
  readonly interfaces: readonly string[]
  readonly functions?: RemoteStorage['functions']
  /** Present if there is more than the above, or if nothing is known. */
  readonly lost?: { readonly name: string; readonly why: string }
}

export type Weight = NeedStart['weight']

export function network(what: string, weight: Weight): NeedStart {
  return { kind: 'network', what, weight }
}

/**
 * Every next hop is needed: if the device of one disappears, the kernel drops the whole route
 * (fib_sync_down_dev in net/ipv4/fib_semantics.c, NETDEV_UNREGISTER).
 */
export function wantedRoutes(facts: NetworkFacts): Wanted[] {
  const byName = new Map<string, { start: NeedStart; interfaces: string[] }>()
  const add = (start: NeedStart, name: string): void => {
    const known = byName.get(start.what)
    if (known === undefined) byName.set(start.what, { start, interfaces: [name] })
    else if (!known.interfaces.includes(name)) known.interfaces.push(name)
  }
  for (const route of defaultRoutes(facts)) {
    const isMain = route.table === undefined || route.table === 'main'
    const table = isMain ? '' : ` of table ${route.table}`
    if (!isDefault(route)) add(network(`default route in parts${table}`, 'vital'), route.interface)
    else if (isMain) add({ ...network('default route', 'vital'), isDefaultRoute: true }, route.interface)
    else add(network(`default route${table}`, 'vital'), route.interface)
  }
  for (const route of facts.tables.routes)
    if (isDefault(route) && !isUsed(facts.tables, route))
      add(
        network(`default route of table ${route.table ?? ''}, which no rule uses`, 'spoken-for'),
        route.interface,
      )
  return [...byName.values(), ...wantedTables(facts)]
}

/** The tables that /proc/net shows. A table with own addresses belongs to a VRF. */
function wantedTables({ tables, addresses }: NetworkFacts): Wanted[] {
  return tables.otherTables.flatMap(({ id = '', local, hasDefault }): Wanted[] => {
    const why = '/proc/net names no interface of that table'
    const lost = { lost: { name: `table ${id}`, why } }
    if (local.length === 0) {
      return hasDefault
        ? [{ start: network(`default route of table ${id}`, 'vital'), interfaces: [], ...lost }]
        : []
    }
    const interfaces = [...new Set(addresses.list.flatMap((own) => (own.table === id ? own.interfaces : [])))]
    const what = hasDefault ? `default route of table ${id}` : `addresses of table ${id}`
    return [{ start: network(what, 'vital'), interfaces, ...(interfaces.length > 0 ? {} : lost) }]
  })
}

type WantedSessions = { readonly sessions: readonly Wanted[]; readonly hidden: readonly Wanted[] }

/** Finding the programs behind connections reads all of /proc, so the result is remembered. */
const knownSessions = new WeakMap<NetworkFacts, WantedSessions>()

export function wantedSessions(facts: NetworkFacts): WantedSessions {
  const known = knownSessions.get(facts) ?? findSessions(facts)
  knownSessions.set(facts, known)
  return known
}

function findSessions(facts: NetworkFacts): WantedSessions {
  const { sessions, hidden } = readSessions(facts.reading, facts.connections)
  return {
    sessions: sessions.map((one) => ({ start: network(one.what, 'vital'), ...placeOfSession(facts, one) })),
    hidden: hidden.map((one) => {
      const place = placeOfSession(facts, one)
      return {
        start: network(one.what, 'vital'),
        ...place,
        lost: place.lost ?? { name: one.local, why: one.why },
      }
    }),
  }
}

/** An address on `lo` or a dummy interface is reached over the route to the other end. */
function placeOfSession(
  facts: NetworkFacts,
  { local, remote }: Session,
): Pick<Wanted, 'interfaces' | 'lost'> {
  const here = interfacesWith(facts, local)
  const wired = here.filter((name) => !isOnNoWire(facts.interfaces.byName.get(name)))
  if (wired.length > 0) return { interfaces: wired }
  const towards = interfacesTowards(facts.tables.routes, remote)
  if (here.length > 0 && towards.length > 0) return { interfaces: towards }
  return { interfaces: towards, lost: { name: local, why: 'no interface is known to have that address' } }
}

function isOnNoWire(one: NetInterface | undefined): boolean {
  return one?.kind === 'loopback' || one?.kind === 'dummy'
}

export function wantedStorage(facts: NetworkFacts): Wanted[] {
  return readRemoteStorage(facts.reading).map((storage): Wanted => {
    const { what, mountPoint, servers = [], ownAddresses = [], interfaces = [], functions, lost } = storage
    const unreached = servers.filter((server) => interfacesTowards(facts.tables.routes, server).length === 0)
    const names = new Set(interfaces)
    for (const server of servers)
      for (const name of interfacesTowards(facts.tables.routes, server)) names.add(name)
    for (const own of ownAddresses) for (const name of interfacesWith(facts, own)) names.add(name)
    const start = { ...network(what, 'vital'), ...defined({ mountPoint }) }
    // DRBD's list of peers includes this host, which needs no route.
    const away = unreached.filter((server) => interfacesWith(facts, server).length === 0)
    const isOpen = lost !== undefined || away.length > 0 || (names.size === 0 && functions === undefined)
    return {
      start,
      interfaces: [...names],
      ...defined({ functions }),
      ...(isOpen ? { lost: lostStorage(lost, away[0] ?? ownAddresses[0] ?? what) } : {}),
    }
  })
}

function lostStorage(name: string | undefined, address: string): NonNullable<Wanted['lost']> {
  return name === undefined
    ? { name: address, why: 'no route leads there' }
    : { name, why: 'nothing says where its server is' }
}

/** Interfaces in `vital` are needed anyway, so they are not listed again. */
export function wantedAddresses(facts: NetworkFacts, weight: Weight, vital: ReadonlySet<string>): Wanted[] {
  const wanted: Wanted[] = []
  const told = new Set(vital)
  const add = (kind: string, name: string): void => {
    if (told.has(name)) return
    wanted.push({ start: { ...network(`${kind} ${name}`, weight), subject: name }, interfaces: [name] })
    if (weight === 'vital') told.add(name)
  }
  for (const name of addressedInterfaces(facts)) add('address on', name)
  for (const { name, kind } of facts.interfaces.byName.values()) if (kind === 'bridge') add('bridge', name)
  return wanted
}
