/**
 * Finds ports that carry nothing now but are in use: other interfaces are built on them, or they are
 * configured.
 */
import type { Reading } from '../../read/reading.ts'
import { argumentsOf, guestName, programName, readProcesses } from '../users/processes.ts'
import type { NeedStart } from '../ends.ts'
import type { Configured } from './configured.ts'
import type { NetworkFacts } from './facts.ts'
import type { NetInterface } from './interfaces.ts'
import { network, type Wanted, type Weight } from './wanted.ts'

/** `carried`: the functions and interfaces to which a need was followed. */
export function wantedUse(
  facts: NetworkFacts,
  carried: ReadonlySet<string>,
  configured: Configured,
  weight: Weight,
): Wanted[] {
  const wanted: Wanted[] = []
  for (const one of facts.interfaces.byName.values()) {
    if (one.owner === undefined || carried.has(one.name)) continue
    const top = topAbove(facts, one)
    if (top !== undefined) {
      wanted.push({ start: startOf(facts, top, weight), interfaces: [top.name] })
      continue
    }
    const file = configured.by(one.name)
    if (file !== undefined)
      wanted.push({ start: network(`${one.name} as configured in ${file}`, weight), interfaces: [one.name] })
  }
  return wanted
}

/** The topmost interface above a port. */
function topAbove({ interfaces }: NetworkFacts, port: NetInterface): NetInterface | undefined {
  const visited = new Set([port.name])
  let top: NetInterface | undefined
  for (let at: NetInterface | undefined = port; at !== undefined && visited.size < 64;) {
    const name: string | undefined = at.upper.find((upper) => !visited.has(upper))
    if (name === undefined) return top
    visited.add(name)
    at = interfaces.byName.get(name)
    top = at ?? top
  }
  return top
}

function startOf(facts: NetworkFacts, top: NetInterface, weight: Weight): NeedStart {
  if (top.name === 'ovs-system') {
    const ports = top.lower.filter((name) => facts.interfaces.byName.get(name)?.owner === undefined)
    return network(
      ports.length > 0 ? `Open vSwitch with ${ports.slice(0, 4).join(', ')}` : 'Open vSwitch',
      weight,
    )
  }
  const user = top.taps.length > 0 ? holderOfTap(facts.reading, top.taps) : undefined
  return user === undefined
    ? { ...network(`interface ${top.name}`, weight), subject: top.name }
    : network(`interface ${top.name} of ${user}`, weight)
}

/** A macvtap has the node /dev/tapN, where N is its index; a virtual machine has it open. */
function holderOfTap(reading: Reading, taps: readonly string[]): string | undefined {
  const nodes = new Set(taps.map((number) => `/dev/tap${number}`))
  const holder = readProcesses(reading).list.find(({ open }) => open.some(({ path }) => nodes.has(path)))
  if (holder === undefined) return undefined
  const name = guestName(argumentsOf(reading, holder.pid))
  return name === undefined ? programName(reading, holder.pid) : `VM ${name}`
}
