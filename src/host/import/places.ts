/**
 * Where listed functions are: their bridges and their places without bus numbers, as far as the input states them. A bus is a
 * root bus only where something says so; a bus whose bridge was not pasted gives no place, since its number may change.
 */
import { addressParts, parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { findPaths, findTopology, secondaryBusOf } from '../../pci/topology.ts'
import { deviceAt, type Draft } from './draft.ts'

type DevicePath = {
  /** Functions from the last root bus down, outermost first: VMD has a root bus of its own. */
  readonly steps: readonly PciAddress[]
  /** As the live reader makes it: `0000:00/0e.0/10000:e0/06.0`. */
  readonly path: string
}

/** A `/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0` path in a line. */
export function parseDevicePath(text: string): DevicePath | undefined {
  const start = text.search(/\bpci[0-9a-f]{4,8}:[0-9a-f]{2}\//i)
  if (start === -1) return undefined
  const steps: PciAddress[] = []
  const path: string[] = []
  for (const part of text.slice(start, start + 2000).split('/')) {
    const root = /^pci([0-9a-f]{4,8}:[0-9a-f]{2})$/i.exec(part)?.[1]
    const address = /^[0-9a-f:.]{7,18}/i.test(part) ? parseAddress(part.replace(/[^0-9a-f:.].*$/i, '')) : undefined
    if (root !== undefined) {
      steps.length = 0
      path.push(root.toLowerCase())
    } else if (address !== undefined) {
      steps.push(address)
      path.push(address.slice(address.lastIndexOf(':') + 1))
    } else break
  }
  return steps.length === 0 ? undefined : { steps, path: path.join('/') }
}

/** What a path below /sys/devices says of its last function, which is answered. */
export function statePlace(draft: Draft, text: string): PciAddress | undefined {
  const found = parseDevicePath(text)
  const last = found?.steps.at(-1)
  if (found === undefined || last === undefined) return undefined
  const device = deviceAt(draft, last)
  device.path = found.path
  const parent = found.steps.at(-2)
  if (parent !== undefined) device.parent = parent
  return last
}

/** Bridges above and places, where the statements suffice; what hangs below a bridge that is not listed gets neither. */
export function withPlaces(draft: Draft, devices: readonly PciDevice[]): PciDevice[] {
  const topology = findTopology(devices)
  const paths = findPaths(topology)
  const roots = rootBuses(draft, devices)
  const stated = statedBuses(devices)
  return devices.map((device) => {
    const node = topology.byAddress.get(device.address)
    const parent = node?.parentUnsure ? undefined : node?.parent?.address
    const found = paths.get(device.address)
    const path = found !== undefined && roots.has(found.slice(0, found.indexOf('/'))) ? found : besides(device, stated)
    return { ...(parent && { parent }), ...(path !== undefined && { path }), ...device }
  })
}

function busOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf(':'))
}

/** Functions of one bus have one bridge above them: the stated place of one is that of the others but for its last step. */
function statedBuses(devices: readonly PciDevice[]): Map<string, string> {
  const buses = new Map<string, string>()
  for (const { address, path, physFn } of devices)
    if (path !== undefined && physFn === undefined) buses.set(busOf(address), path.slice(0, path.lastIndexOf('/')))
  return buses
}

function besides({ address, physFn }: PciDevice, stated: ReadonlyMap<string, string>): string | undefined {
  const above = physFn === undefined ? stated.get(busOf(address)) : undefined
  return above === undefined ? undefined : `${above}/${address.slice(address.lastIndexOf(':') + 1)}`
}

const onRootBusOnly: ReadonlySet<string | undefined> = new Set([
  'rootPort',
  'rootComplexEndpoint',
  'rootComplexEventCollector',
])

/**
 * Buses that are root buses for sure. Bus 0 of a domain always is one. A domain above ffff is VMD's (drivers/pci/controller/vmd.c):
 * its root bus hangs below a function that a listing does not name, so nothing in it has a place but by a path of sysfs.
 */
function rootBuses(draft: Draft, devices: readonly PciDevice[]): Set<string> {
  const roots = new Set(draft.rootBuses)
  const whole = wholeDomains(devices)
  for (const { address, portType, facts, classCode } of devices) {
    const { domain, bus } = addressParts(address)
    if (domain > 0xffff) continue
    const isRoot = onRootBusOnly.has(portType ?? facts?.portType ?? undefined) || classCode?.startsWith('0600') === true
    if (bus === 0 || isRoot || whole.has(domain)) roots.add(busOf(address))
  }
  return roots
}

/**
 * Domains of which bus 0 is listed from its first function on, with bridges and the buses they lead to: a bus that none of them
 * reaches is a root bus of its own (a second socket). A line cut out of a listing states no such thing.
 */
function wholeDomains(devices: readonly PciDevice[]): Set<number> {
  const first = new Set<number>()
  const whole = new Set<number>()
  for (const device of devices) {
    const { domain, bus, slot, function: fn } = addressParts(device.address)
    if (bus === 0 && slot === 0 && fn === 0) first.add(domain)
    if (bus === 0 && first.has(domain) && secondaryBusOf(device)) whole.add(domain)
  }
  return whole
}
