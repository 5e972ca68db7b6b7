/** One function in the tree of bridges (topology.ts builds it), and what is asked of it. */
import type { AddressParts, PciAddress } from './address.ts'
import type { PciDevice } from './device.ts'
import type { Draft } from './draft.ts'

export type TopologyNode = {
  readonly address: PciAddress
  readonly parts: AddressParts
  readonly device: PciDevice
  /** All functions of its bus, itself among them, in address order. */
  readonly onBus: readonly TopologyNode[]
  /**
   * The bridge above; for a virtual function the bridge above its physical function. Absent on a root bus.
   */
  readonly parent?: TopologyNode
  /** Present on a virtual function. */
  readonly physicalFunction?: TopologyNode
  /**
   * A bridge covers this bus, but the bridge that leads to it is not in the input (cut listing), or two
   * bridges claim it.
   */
  readonly parentUnsure?: true
}

export type Topology = {
  /** Parents before children; within a bus by slot and function: the order in which the kernel meets them. */
  readonly nodes: readonly TopologyNode[]
  readonly byAddress: ReadonlyMap<PciAddress, TopologyNode>
}

/** A node whose bridge is still looked for. */
export type NodeDraft = Draft<TopologyNode>

export function secondaryBusOf(device: PciDevice): number | undefined {
  return device.secondaryBus ?? device.facts?.secondaryBus
}

export function subordinateBusOf(device: PciDevice): number | undefined {
  return device.subordinateBus ?? device.facts?.subordinateBus
}

/** The bridges above a function, nearest first; the last one is its root port (or a bridge on a root bus). */
export function pathUp(node: TopologyNode): readonly TopologyNode[] {
  const path: TopologyNode[] = []
  for (let at = node.parent; at; at = at.parent) path.push(at)
  return path
}
