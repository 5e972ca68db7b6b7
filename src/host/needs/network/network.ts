/**
 * Reads the network needs of the host: default routes of every table, sessions, remote file systems,
 * addresses, bridges and configured ports. Each is followed down to its functions. What cannot be followed,
 * or cannot be read, is a lost need.
 */
import type { PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import type { HostNeed, LostNeed } from '../../host.ts'
import type { Reading } from '../../read/reading.ts'
import { joinNeeds, needsOf, type End, type NeedsRead } from '../ends.ts'
import { readConfigured, type Configured } from './configured.ts'
import { couldCarry, type CouldCarry } from './could-carry.ts'
import { defaultRoutes, networkFacts, type NetworkFacts } from './facts.ts'
import { interfaceEnds } from './follow.ts'
import { lostInOtherNamespaces } from './other-namespaces.ts'
import { tellsOfNetwork } from './route-tables.ts'
import { wantedUse } from './users.ts'
import {
  network,
  wantedAddresses,
  wantedRoutes,
  wantedSessions,
  wantedStorage,
  type Wanted,
  type Weight,
} from './wanted.ts'

export function readNetworkNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const facts = networkFacts(reading)
  const configured = readConfigured(reading, devices)
  const could = couldCarry(facts, devices, configured)
  const ends = endFinder(facts)
  const follow = (wanted: readonly Wanted[]): NeedsRead =>
    joinNeeds(wanted.map((one) => followed(one, ends, could)))
  const hasWayOut =
    defaultRoutes(facts).length > 0 || facts.tables.otherTables.some(({ hasDefault }) => hasDefault)
  const weight: Weight = hasWayOut ? 'spoken-for' : 'vital'
  const { sessions, hidden } = wantedSessions(facts)
  const vital = [...wantedRoutes(facts), ...sessions, ...wantedStorage(facts)]
  const told = new Set(vital.flatMap(({ start, interfaces }) => (start.weight === 'vital' ? interfaces : [])))
  const alive = joinNeeds([
    follow(vital),
    joinNeeds(hidden.map((one) => onlyLost(followed(one, ends, could)))),
    follow(wantedAddresses(facts, weight, told)),
  ])
  const carried = new Set(alive.needs.flatMap(({ chain, device }) => [device, chain.at(-1) ?? '']))
  const inUse = follow(wantedUse(facts, carried, configured, weight))
  const lost = [
    ...gapsOf(facts, could),
    ...configurationGaps(configured, could, carried),
    ...lostInOtherNamespaces(facts, devices),
  ]
  const all = joinNeeds([alive, inUse, { needs: [], lost }])
  return withPhysicalFunctions(joinNeeds([all, lastWay(facts, all, could, hasWayOut)]), devices)
}

/** Remembers the ends of each interface, so that it is followed only once. */
function endFinder(facts: NetworkFacts): (name: string) => readonly End[] {
  const known = new Map<string, readonly End[]>()
  return (name) => {
    const ends = known.get(name) ?? interfaceEnds(facts, name)
    known.set(name, ends)
    return ends
  }
}

function followed(
  { start, interfaces, functions = [], lost }: Wanted,
  endsOf: (name: string) => readonly End[],
  could: CouldCarry,
): NeedsRead {
  const ends: End[] = [
    ...functions.map((one): End => ({ to: 'function', ...one })),
    ...interfaces.flatMap((name) => noEnd(name, endsOf(name))),
    ...(lost === undefined ? [] : [{ to: 'lost', chain: [], lost: lost.name, why: lost.why } as const]),
  ]
  const told = start.weight === 'vital' ? ends : ends.map(withoutForeignUse)
  return needsOf(start, told, could.inUse)
}

function noEnd(name: string, ends: readonly End[]): readonly End[] {
  if (ends.length > 0) return ends
  return [{ to: 'lost', chain: [], lost: name, why: 'it leads back to itself' }]
}

/** The address of a container's interface is used in the container; this host does not need it. */
function withoutForeignUse(end: End): End {
  if (end.to !== 'lost' || end.isForeign !== true) return end
  return { to: 'elsewhere', chain: [...end.chain, end.lost], why: end.why }
}

/**
 * A connection of an unknown program uses the port. It may or may not be a person's session, so the need is
 * lost and not certain.
 */
function onlyLost(read: NeedsRead): NeedsRead {
  const lost = read.lost.map((one) => {
    const ends = read.needs.map(({ device }) => device)
    return ends.length > 0 ? { ...one, couldBe: [...new Set(ends)] } : one
  })
  return { needs: [], lost }
}

function gapsOf(facts: NetworkFacts, could: CouldCarry): LostNeed[] {
  const { tables, addresses, connections, reading } = facts
  const lostOf = (
    what: string,
    gap: { lost: string; why: string },
    couldBe: readonly PciAddress[],
  ): LostNeed => ({
    kind: 'network',
    what,
    chain: [],
    lost: gap.lost,
    why: gap.why,
    couldBe,
  })
  // A tree without any network files is reported as such (Host.unreadNeeds).
  const isSilent = tables.isUnread && reading.system.showNetwork === undefined && !tellsOfNetwork(reading)
  return [
    ...(isSilent ? [] : tables.gaps.map((gap) => lostOf('the routes of this host', gap, could.any()))),
    ...addresses.gaps.map((gap) => lostOf('the addresses of this host', gap, could.any())),
    ...connections.gaps.map((gap) => lostOf('sessions', gap, could.inUse())),
    ...[...facts.interfaces.byName.values()].flatMap(({ name, gap }) =>
      gap === undefined ? [] : [lostOf(`interface ${name}`, { lost: name, why: gap }, could.inUse())],
    ),
  ]
}

/** A file that cannot be read may bring up a port that carries nothing now. */
function configurationGaps(
  { gaps }: Configured,
  could: CouldCarry,
  carried: ReadonlySet<string>,
): LostNeed[] {
  const couldBe = gaps.length === 0 ? [] : could.any().filter((address) => !carried.has(address))
  if (couldBe.length === 0) return []
  return gaps.map(({ lost, why }) => ({
    kind: 'network',
    what: 'a configuration of the network',
    chain: [],
    lost,
    why,
    couldBe,
  }))
}

/** A host without route, address and session still needs a port through which it can be reached later. */
function lastWay(facts: NetworkFacts, all: NeedsRead, could: CouldCarry, hasWayOut: boolean): NeedsRead {
  const isSettled = hasWayOut || facts.tables.isUnread || all.lost.length > 0
  if (isSettled || all.needs.some(({ weight }) => weight === 'vital')) return { needs: [], lost: [] }
  const what = 'the way into the network'
  const inUse = could.inUse()
  if (inUse.length > 0) {
    const lost = {
      chain: [],
      lost: 'default route',
      why: 'there is none, and these ports are up or configured',
    }
    return { needs: [], lost: [{ kind: 'network', what, ...lost, couldBe: inUse }] }
  }
  const [last, another] = could.any()
  if (last === undefined || another !== undefined) return { needs: [], lost: [] }
  return { needs: [{ ...network('the only network port', 'spoken-for'), chain: [], device: last }], lost: [] }
}

/** A virtual function exists only while its physical function stays with the host. */
function withPhysicalFunctions(read: NeedsRead, devices: readonly PciDevice[]): NeedsRead {
  const physFns = new Map(devices.flatMap((d) => (d.physFn ? [[d.address, d.physFn] as const] : [])))
  if (physFns.size === 0) return read
  const needs = read.needs.flatMap((need): HostNeed[] => {
    const physFn = physFns.get(need.device)
    if (physFn === undefined) return [need]
    const { redundant, ...rest } = need
    const others =
      redundant?.others.filter((other) => physFns.get(other) !== physFn && other !== physFn) ?? []
    const kept = redundant === undefined ? {} : { redundant: { set: redundant.set, others } }
    return [need, { ...rest, ...kept, chain: [...need.chain, need.device], device: physFn }]
  })
  const lost = read.lost.map((one) => {
    const more = one.couldBe.flatMap((address) => physFns.get(address) ?? [])
    return more.length === 0 ? one : { ...one, couldBe: [...new Set([...one.couldBe, ...more])] }
  })
  return { needs, lost }
}
