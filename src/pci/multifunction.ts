/**
 * What kind of function it is in the tree: its type of port, and whether it is one of several in its slot.
 */
import type { PciDevice } from './device.ts'
import { no, probablyNo, yes, type Judged } from './judged.ts'
import type { TopologyNode } from './topology-node.ts'

export function portTypeOf(device: PciDevice): PciDevice['portType'] | null {
  return device.facts?.portType === undefined ? device.portType : device.facts.portType
}

/**
 * `dev->multifunction`: header bit 7, or any function number above 0 found in a slot scan; never a virtual
 * function.
 */
export function judgeMultifunction(node: TopologyNode): Judged {
  if (node.physicalFunction) return no
  if (node.parts.function > 0) return yes
  const bit = node.device.facts?.multifunctionBit ?? node.device.multifunction
  if (bit) return yes
  // Below a port only slot 0 is scanned; what answers elsewhere was reached by ARI, as a function above 0.
  const above = node.parent && portTypeOf(node.parent.device)
  if (node.parts.slot > 0 && (above === 'rootPort' || above === 'downstreamPort')) return yes
  const mayBeAri = node.parts.slot > 0 && node.parent !== undefined && above === undefined
  if (bit === false) return mayBeAri ? probablyNo : no
  const siblings = node.onBus.some(
    (n) => n !== node && n.parts.slot === node.parts.slot && !n.physicalFunction,
  )
  return siblings ? yes : probablyNo
}
