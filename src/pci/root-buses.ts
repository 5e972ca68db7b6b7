/**
 * Which buses are root buses. Where no bridge of the input leads to a bus, it is one, or the bridge was left
 * out (`lspci -s 01:00.0`): only what is known for sure counts, since places and groups rest on it.
 */
import { hex } from './hex.ts'
import type { PciDevice } from './device.ts'
import type { TopologyNode } from './topology-node.ts'

type Node = Pick<TopologyNode, 'parts' | 'device'>

/** The keys of `byBus` that are root buses; `stated` are those the input calls so, as `0000:80`. */
export function findRootBuses(
  byBus: ReadonlyMap<number, readonly Node[]>,
  stated: ReadonlySet<string>,
): ReadonlySet<number> {
  const roots = new Set<number>()
  const whole = wholeDomains(byBus)
  for (const [key, onBus] of byBus) {
    const parts = onBus[0]?.parts
    if (parts === undefined) continue
    const isStated = stated.size > 0 && stated.has(`${hex(parts.domain, 4)}:${hex(parts.bus, 2)}`)
    const isLeft = whole.has(parts.domain) && !onBus.some(isBelowPort)
    // Bus 0 is below no bridge ever: 0 is what a bridge says that nobody has configured.
    if (parts.bus === 0 || isStated || isLeft || onBus.some(isOnRootBus)) roots.add(key)
  }
  return roots
}

/**
 * Domains of which bus 0 is listed from its first function on, with bridges and the buses they lead to: a bus
 * that none of them reaches is a root bus of its own (a second socket). A line cut out of a listing states no
 * such thing.
 */
function wholeDomains(byBus: ReadonlyMap<number, readonly Node[]>): ReadonlySet<number> {
  const whole = new Set<number>()
  for (const onBus of byBus.values()) {
    const first = onBus[0]?.parts
    if (first === undefined || first.bus !== 0 || first.slot !== 0 || first.function !== 0) continue
    if (onBus.some(({ device }) => device.secondaryBus ?? device.facts?.secondaryBus)) whole.add(first.domain)
  }
  return whole
}

const rootTypes: ReadonlySet<unknown> = new Set([
  'rootPort',
  'rootComplexEndpoint',
  'rootComplexEventCollector',
])
const lowerTypes: ReadonlySet<unknown> = new Set(['endpoint', 'upstreamPort', 'downstreamPort'])

function typeOf({ facts, portType }: PciDevice): PciDevice['portType'] | null {
  return facts?.portType === undefined ? portType : facts.portType
}

/**
 * Root ports and integrated functions are on root buses only (PCIe 1.3.2, 1.3.3), and so are host bridges and
 * IOMMUs.
 */
function isOnRootBus({ device }: Node): boolean {
  return rootTypes.has(typeOf(device)) || /^(?:0600|0806)/.test(device.classCode ?? '')
}

function isBelowPort({ device }: Node): boolean {
  return lowerTypes.has(typeOf(device))
}
