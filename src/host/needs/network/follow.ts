/**
 * Follows an interface down to the functions that carry it: bridge, bond, team, VLAN, macvlan and VRF by
 * their links, PPP by its session, a tunnel by the route to its other end, and a port of Open vSwitch by all
 * ports of its switch. What cannot be followed is lost, and is never dropped. Circles and depth are bounded.
 */
import type { End } from '../ends.ts'
import { anyOf } from '../sets.ts'
import { interfacesTowards } from './routes.ts'
import { addressedInterfaces, defaultRoutes, interfacesWith, isTunnel, type NetworkFacts } from './facts.ts'
import type { NetInterface } from './interfaces.ts'
import { pppGround } from './ppp.ts'
import { configuredPeers } from './tunnel-peers.ts'

type Trail = {
  readonly facts: NetworkFacts
  readonly visited: Set<string>
  /** The names followed so far, from the need downwards. */
  readonly above: readonly string[]
}

const maxDepth = 24
const maxVisited = 4096

export function interfaceEnds(facts: NetworkFacts, name: string): End[] {
  return walk({ facts, visited: new Set(), above: [] }, name)
}

function walk(trail: Trail, name: string): End[] {
  const { facts, visited, above } = trail
  if (visited.has(name)) return []
  if (visited.size >= maxVisited || above.length >= maxDepth)
    return [lostAt(trail, name, 'too many interfaces are stacked to follow them')]
  visited.add(name)
  const one = facts.interfaces.byName.get(name)
  if (one === undefined)
    return [lostAt(trail, name, facts.interfaces.gap ?? 'no interface of that name is here')]
  const here = { ...trail, above: [...above, name] }
  if (one.owner !== undefined) return [{ to: 'function', chain: here.above, device: one.owner }]
  if (!one.isVirtual) return [{ to: 'elsewhere', chain: here.above, why: 'its hardware is not on a PCI bus' }]
  const below = throughLinks(here, one)
  if (one.gap !== undefined) return [...below, lostAt(trail, name, one.gap)]
  return below
}

/**
 * The state that the bond itself reports for the leg (`mii_status`); without it, the leg works if it has a
 * carrier.
 */
function legWorks(one: NetInterface | undefined): boolean {
  const { legState, hasCarrier, isUp } = one ?? {}
  if (legState !== undefined) return /^up$/i.test(legState)
  return hasCarrier === true && isUp !== false
}

function throughLinks(here: Trail, one: NetInterface): End[] {
  const { kind } = one
  const lower = one.lower.filter((name) => name !== one.name)
  if (kind === 'bond' || kind === 'team') return legsOfBond(here, one, lower)
  if (kind === 'bridge' || one.name === 'ovs-system') return portsOfSwitch(here, lower)
  if (kind === 'veth') return otherEndOfPair(here, one)
  if (lower.length > 0) return lower.flatMap((name) => walk(here, name))
  if (kind === 'ppp') return underPpp(here, one)
  if (isTunnel(one)) return underTunnel(here, one)
  if (kind === 'dummy' || kind === 'ifb' || kind === 'loopback' || kind === 'nlmon')
    return [{ to: 'elsewhere', chain: here.above, why: 'its packets stay in this machine' }]
  return portsOfOpenSwitch(here, one)
}

function legsOfBond(here: Trail, one: NetInterface, lower: readonly string[]): End[] {
  if (lower.length === 0) return [lostHere(here, 'no leg of it is here')]
  const legs = lower.map((name) => ({
    ends: walk(here, name),
    isBroken: !legWorks(here.facts.interfaces.byName.get(name)),
  }))
  return anyOf(one.name, legs)
}

/** Ports of virtual machines and containers are not followed; the other ports carry the bridge. */
function portsOfSwitch(here: Trail, lower: readonly string[]): End[] {
  const ports = lower.filter((name) => !isGuestPort(here, name))
  if (ports.length > 0) return ports.flatMap((name) => walk(here, name))
  const why =
    lower.length > 0 ? 'only virtual machines and containers are in it' : 'no port of this host is in it'
  return [{ to: 'elsewhere', chain: here.above, why }]
}

function isGuestPort({ facts }: Trail, name: string): boolean {
  const one = facts.interfaces.byName.get(name)
  if (one === undefined || !one.isVirtual || one.lower.length > 0) return false
  return one.kind === 'veth' || one.kind === 'tun' || /^(?:tap|vnet|veth|fwpr|fwln)\w*$/.test(name)
}

/**
 * A pair of interfaces in one namespace works like a cable, so the interface to which its other end belongs
 * is followed.
 */
function otherEndOfPair(here: Trail, one: NetInterface): End[] {
  const { byName } = here.facts.interfaces
  const other = [...byName.values()].find(
    ({ index, linkIndex, kind }) =>
      kind === 'veth' && index !== undefined && index === one.linkIndex && linkIndex === one.index,
  )
  if (other === undefined || one.leadsAway)
    return [{ ...lostHere(here, 'its other end is in another network namespace'), isForeign: true }]
  if (other.master === undefined)
    return [{ to: 'elsewhere', chain: [...here.above, other.name], why: 'both its ends are here' }]
  return walk({ ...here, above: [...here.above, other.name] }, other.master)
}

function underPpp(here: Trail, one: NetInterface): End[] {
  const ground = pppGround(here.facts)
  const legs = [
    ...ground.interfaces.flatMap((name) => walk(here, name)),
    ...ground.modems.map((end) => ({ ...end, chain: [...here.above, ...end.chain] })),
    ...(ground.overTunnel ? underTunnel(here, one) : []),
  ]
  return ground.gap === undefined ? legs : [...legs, lostHere(here, ground.gap)]
}

/**
 * A tunnel runs over the route to its other end. If that end is unknown, it uses a default route. Without a
 * default route it must use an interface with an address; if there are several, the need is lost.
 */
function underTunnel(here: Trail, one: NetInterface): End[] {
  const { facts } = here
  if (facts.interfaces.byName.has('ovs-netdev') && one.kind === 'tun')
    return [lostHere(here, 'it may be a port of a switch that keeps its ports from the kernel')]
  const peers = one.remote === undefined ? configuredPeers(facts.reading, one.name) : [one.remote]
  const known = new Set(peers.flatMap((peer) => interfacesTowards(facts.tables.routes, peer)))
  for (const name of one.local === undefined ? [] : interfacesWith(facts, one.local)) known.add(name)
  known.delete(one.name)
  if (known.size > 0) return [...known].flatMap((name) => walk(here, name))
  // A route through an interface that was already followed leads nowhere.
  const isWay = (name: string): boolean =>
    !here.above.includes(name) && !isTunnel(facts.interfaces.byName.get(name))
  const ways = new Set(
    defaultRoutes(facts).flatMap((route) => (isWay(route.interface) ? [route.interface] : [])),
  )
  const out = [...ways].flatMap((name) => walk(here, name))
  if (out.length > 0) {
    // The kernel was not asked, so it is open whether the tunnel uses one of these.
    const isOpen = !facts.isAnswered && isToldByKernel(one)
    return isOpen ? [...out, lostHere(here, 'nothing says where its other end is')] : out
  }
  return overTheOnlyWay(here, [...addressedInterfaces(facts)].filter(isWay))
}

function overTheOnlyWay(here: Trail, ways: readonly string[]): End[] {
  const { facts } = here
  const found = ways.flatMap((name) => {
    const legs = walk({ ...here, visited: new Set(here.visited) }, name)
    return legs.every(({ to }) => to === 'elsewhere') ? [] : [legs]
  })
  const legs = found.flat()
  const functions = new Set(legs.flatMap((leg) => (leg.to === 'function' ? [leg.device] : [])))
  const isOne = found.length === 1 || (functions.size === 1 && !legs.some(({ to }) => to === 'lost'))
  if (isOne && facts.addresses.gaps.length === 0) return legs
  return [lostHere(here, 'nothing says which port it runs over')]
}

/**
 * Whether the kernel reports the other end of this kind. It does not for WireGuard and for tunnels of
 * programs.
 */
function isToldByKernel({ kind = '' }: NetInterface): boolean {
  return !/^(?:wireguard|tun|tunnel|ppp|ovpn)$/.test(kind)
}

/**
 * An internal port of Open vSwitch has no link to lower interfaces (net/openvswitch/vport-internal_dev.c);
 * real ports have the master `ovs-system` (vport-netdev.c). Only the database of Open vSwitch lists the ports
 * of each bridge, so every port counts.
 */
function portsOfOpenSwitch(here: Trail, one: NetInterface): End[] {
  const canBe =
    one.kind === 'openvswitch' ||
    (one.kind === undefined && (one.hardware === 1 || one.hardware === undefined))
  const ends = canBe && here.facts.interfaces.byName.has('ovs-system') ? walk(here, 'ovs-system') : []
  const isFollowed = ends.some(({ to }) => to === 'function')
  return isFollowed
    ? ends
    : [...ends.filter(({ to }) => to === 'lost'), lostHere(here, 'nothing says which port it runs over')]
}

function lostHere({ above }: Trail, why: string): Extract<End, { to: 'lost' }> {
  return { to: 'lost', chain: above.slice(0, -1), lost: above.at(-1) ?? '', why }
}

function lostAt({ above }: Trail, lost: string, why: string): End {
  return { to: 'lost', chain: above, lost, why }
}
