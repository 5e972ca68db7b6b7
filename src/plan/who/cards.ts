/**
 * What belongs together: physical cards, ports on them, and units (functions that can only leave the host
 * together). It knows nothing of VMs or verdicts.
 */
import { staysBehind } from '../../judge/group-mates.ts'
import { compareAddresses, slotOf, type PciAddress } from '../../pci/address.ts'
import { findCards } from '../../pci/cards.ts'
import { deviceClass, isBridge, isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { indexDevices, type DeviceIndex } from '../../pci/identity.ts'
import type { Host } from '../../host/host.ts'

/**
 * Functions that move together: those of one IOMMU group that leave with it (bridges and the board's own
 * functions stay), or a graphics card with its sound and USB functions.
 */
export type Unit = {
  readonly members: readonly PciAddress[]
  /** Groups inside it; more than one only where a card's companions have groups of their own. */
  readonly groups: readonly number[]
}

export type Layout = {
  readonly devices: DeviceIndex
  readonly units: readonly Unit[]
  readonly unitOf: ReadonlyMap<PciAddress, Unit>
  /**
   * A word for the physical card a function sits on: equal for functions of one card, without meaning
   * otherwise.
   */
  readonly cardOf: ReadonlyMap<PciAddress, string>
  /** From 1, among the functions of the same class on the same card, in the order of addresses. */
  readonly portOf: ReadonlyMap<PciAddress, number>
  readonly portsOnCard: ReadonlyMap<string, number>
  readonly groupOf: ReadonlyMap<PciAddress, number>
  /** Cards whose virtual functions the spec asks for, by its word for them. */
  readonly physicalOf?: ReadonlyMap<string, PciAddress>
}

export function layoutOf(host: Host): Layout {
  const devices = indexDevices(host.devices)
  const groupOf = new Map<PciAddress, number>()
  for (const device of host.devices)
    if (typeof device.iommuGroup === 'number') groupOf.set(device.address, device.iommuGroup)
  for (const group of host.groups) for (const address of group.devices) groupOf.set(address, group.id)
  const endpoints = host.devices
    .filter((device) => !isBridge(device))
    .toSorted((a, b) => compareAddresses(a.address, b.address))
  const units = findUnits(endpoints, groupOf)
  const unitOf = new Map(units.flatMap((unit) => unit.members.map((address) => [address, unit] as const)))
  const cardOf = findCards(endpoints, devices)
  const { portOf, portsOnCard } = countPorts(endpoints, cardOf)
  return { devices, units, unitOf, cardOf, portOf, portsOnCard, groupOf }
}

function findUnits(endpoints: readonly PciDevice[], groupOf: ReadonlyMap<PciAddress, number>): Unit[] {
  const leader = new Map<PciAddress, PciAddress>()
  const find = (address: PciAddress): PciAddress => {
    let top = address
    for (let up = leader.get(top); up !== undefined && up !== top; up = leader.get(top)) top = up
    leader.set(address, top)
    return top
  }
  const join = (a: PciAddress, b: PciAddress) => leader.set(find(b), find(a))
  const gpuCards = new Set(endpoints.filter((d) => deviceClass(d) === 'gpu').map(slotAndMaker))
  const firstOf = new Map<string, PciAddress>()
  for (const device of endpoints) {
    leader.set(device.address, device.address)
    if (staysBehind(device, (address) => groupOf.get(address))) continue
    const group = groupOf.get(device.address)
    const keys = group === undefined ? [] : [`group ${group}`]
    const card = slotAndMaker(device)
    if (gpuCards.has(card) && isCompanionClass(device) && !isVirtualFunction(device))
      keys.push(`card ${card}`)
    for (const key of keys) {
      const first = firstOf.get(key)
      if (first === undefined) firstOf.set(key, device.address)
      else join(first, device.address)
    }
  }
  const members = new Map<PciAddress, PciAddress[]>()
  for (const { address } of endpoints) {
    const top = find(address)
    members.set(top, [...(members.get(top) ?? []), address])
  }
  return [...members.values()].map((addresses) => ({
    members: addresses,
    groups: [...new Set(addresses.flatMap((address) => groupOf.get(address) ?? []))].toSorted(
      (a, b) => a - b,
    ),
  }))
}

/**
 * The graphics of an AMD processor (1002) share their slot with the processor's own USB and sound (1022),
 * which are no parts of a graphics card and have no reset in common with it.
 */
function slotAndMaker({ address, vendorId }: PciDevice): string {
  return `${slotOf(address)} ${vendorId ?? '?'}`
}

/**
 * A graphics card's functions: display, its sound, its USB-C controller and that one's serial bus (class
 * 0c80).
 */
function isCompanionClass(device: PciDevice): boolean {
  return ['gpu', 'audio', 'usb'].includes(deviceClass(device)) || (device.classCode ?? '').startsWith('0c80')
}

function countPorts(endpoints: readonly PciDevice[], cardOf: ReadonlyMap<PciAddress, string>) {
  const counts = new Map<string, number>()
  const portOf = new Map<PciAddress, number>()
  for (const device of endpoints) {
    const key = `${cardOf.get(device.address) ?? ''} ${deviceClass(device)}`
    const port = (counts.get(key) ?? 0) + 1
    counts.set(key, port)
    portOf.set(device.address, port)
  }
  const portsOnCard = new Map<string, number>()
  for (const [key, count] of counts) {
    const card = key.slice(0, key.lastIndexOf(' '))
    portsOnCard.set(card, Math.max(portsOnCard.get(card) ?? 0, count))
  }
  return { portOf, portsOnCard }
}
