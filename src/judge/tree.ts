/**
 * The host as a person looks at it: root buses, the ports on them, cards in the ports, and what belongs to
 * the board. Text and picture are drawn from this one tree; it holds no verdicts and no words.
 */
import { hex } from '../pci/hex.ts'
import { addressParts, compareAddresses, slotOf } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { secondaryBusOf, type TopologyNode } from '../pci/topology-node.ts'
import { findTopology } from '../pci/topology.ts'
import { siliconOf } from './silicon.ts'

/** All functions of one slot; virtual functions stand with their physical one. */
export type Card = {
  /** `0000:01:00`, a word for the card and no more. */
  readonly slot: string
  readonly functions: readonly PciDevice[]
  /** On a root bus: part of the board or the processor, not pluggable. */
  readonly onBoard: boolean
}

export type Port = {
  readonly device: PciDevice
  readonly ports: readonly Port[]
  readonly cards: readonly Card[]
}

export type RootBus = {
  /** `0000:00`; with an unknown topology every bus is one. */
  readonly name: string
  readonly ports: readonly Port[]
  readonly cards: readonly Card[]
}

export type HostTree = {
  readonly buses: readonly RootBus[]
  /**
   * Host bridges, ISA, SMBus and the like, left out of the buses: hundreds on a server, and never anybody's
   * choice.
   */
  readonly board: readonly PciDevice[]
}

export function treeOf(devices: readonly PciDevice[]): HostTree {
  const topology = findTopology(devices)
  const children = new Map<TopologyNode | string, TopologyNode[]>()
  const board: PciDevice[] = []
  for (const node of topology.nodes) {
    if (siliconOf(node.device) !== undefined) {
      board.push(node.device)
      continue
    }
    const key = node.parent ?? busName(node)
    const list = children.get(key)
    if (list) list.push(node)
    else children.set(key, [node])
  }
  const buses: RootBus[] = []
  for (const key of children.keys()) {
    if (typeof key === 'string') buses.push({ name: key, ...below(key, children) })
  }
  return { buses: buses.sort((a, b) => (a.name < b.name ? -1 : 1)), board: board.sort(byAddress) }
}

type Below = { readonly ports: Port[]; readonly cards: Card[] }

/** The topology has no cycles (findTopology cuts them), so this ends. */
function below(
  key: TopologyNode | string,
  children: ReadonlyMap<TopologyNode | string, readonly TopologyNode[]>,
): Below {
  const ports: Port[] = []
  const slots = new Map<string, PciDevice[]>()
  for (const node of children.get(key) ?? []) {
    if (isBridge(node.device)) {
      ports.push({ device: node.device, ...below(node, children) })
      continue
    }
    const slot = slotOf(node.physicalFunction?.address ?? node.address)
    const functions = slots.get(slot)
    if (functions) functions.push(node.device)
    else slots.set(slot, [node.device])
  }
  const onBoard = typeof key === 'string'
  const cards = [...slots].map(([slot, functions]) => ({
    slot,
    functions: functions.sort(byAddress),
    onBoard,
  }))
  return { ports, cards }
}

/** Ports that lead nowhere say nothing a person asks for. */
export function isEmptyPort(port: Port): boolean {
  return port.cards.length === 0 && port.ports.every(isEmptyPort)
}

function busName({ parts }: TopologyNode): string {
  return `${hex(parts.domain, 4)}:${hex(parts.bus, 2)}`
}

function byAddress(a: PciDevice, b: PciDevice): number {
  return compareAddresses(a.address, b.address)
}

/**
 * Nothing is listed below it, and the bus it leads to is known: without that anything listed elsewhere may be
 * its.
 */
export function isKnownToBeEmpty(port: Port): boolean {
  return isEmptyPort(port) && secondaryBusOf(port.device) !== undefined
}

/** `01:00.0` where every function is in domain 0, else the whole address. */
export function shortAddresses(devices: readonly PciDevice[]): (address: PciDevice['address']) => string {
  const single = devices.every((device) => addressParts(device.address).domain === 0)
  return (address) => (single ? address.slice(address.indexOf(':') + 1) : address)
}
