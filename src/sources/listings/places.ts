/**
 * Finds the bridges and the paths (without bus numbers) of listed functions, as far as the input shows them.
 * A bus counts as a root bus only if the input says so. A function below a bridge that is not in the text has
 * no path, since bus numbers may change.
 */
import { defined } from '../../base/defined.ts'
import { addressParts, parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { TopologyNode } from '../../pci/topology-node.ts'
import { findPaths, findTopology } from '../../pci/topology.ts'
import { deviceAt, type HostDraft } from './draft.ts'

type DevicePath = {
  /** The functions from the last root bus down, outermost first. VMD has its own root bus. */
  readonly steps: readonly PciAddress[]
  /** In the form of the live reader: `0000:00/0e.0/10000:e0/06.0`. */
  readonly path: string
}

/** Parses a path such as `/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0` in a line. */
export function parseDevicePath(text: string): DevicePath | undefined {
  const start = text.search(/\bpci[0-9a-f]{4,8}:[0-9a-f]{2}\//i)
  if (start === -1) return undefined
  const steps: PciAddress[] = []
  const path: string[] = []
  for (const part of text.slice(start, start + 2000).split('/')) {
    const root = /^pci([0-9a-f]{4,8}:[0-9a-f]{2})$/i.exec(part)?.[1]
    const address = /^[0-9a-f:.]{7,18}/i.test(part)
      ? parseAddress(part.replace(/[^0-9a-f:.].*$/i, ''))
      : undefined
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

/** Sets path and parent of the last function in a path below /sys/devices, and returns that function. */
export function statePlace(draft: HostDraft, text: string): PciAddress | undefined {
  const found = parseDevicePath(text)
  const last = found?.steps.at(-1)
  if (found === undefined || last === undefined) return undefined
  const device = deviceAt(draft, last)
  device.path = found.path
  const parent = found.steps.at(-2)
  if (parent !== undefined) device.parent = parent
  return last
}

/**
 * Adds bridges and paths as far as the input shows them. Functions below a bridge that is not listed get
 * neither.
 */
export function withPlaces(draft: HostDraft, devices: readonly PciDevice[]): PciDevice[] {
  const topology = findTopology(devices, draft.rootBuses)
  const found = findPaths(topology)
  const stated = statedBuses(devices)
  const paths = new Map<PciAddress, string>()
  for (const device of devices) {
    const computed = isInVmdDomain(device)
      ? undefined
      : (found.get(device.address) ?? besides(device, stated))
    const path = device.path ?? computed
    if (path !== undefined) paths.set(device.address, path)
  }
  return devices.map((device) => {
    const { path: _stated, ...rest } = device
    const node = topology.byAddress.get(device.address)
    const parent = node?.parentUnsure ? undefined : node?.parent?.address
    const path = paths.get(device.address)
    const home = node?.physicalFunction
    if (home) return { ...(parent && { parent }), ...rest, ...virtualPlace(node, home, { draft, paths }) }
    return { ...(parent && { parent }), ...rest, ...defined({ path }) }
  })
}

/** The path of a virtual function is that of its physical function with its number. */
function virtualPlace(
  node: TopologyNode,
  home: TopologyNode,
  { draft, paths }: { readonly draft: HostDraft; readonly paths: ReadonlyMap<PciAddress, string> },
): Pick<PciDevice, 'physFn' | 'path' | 'vfNumber'> {
  const above = paths.get(home.address)
  const number = draft.vfNumbers.get(node.address) ?? numberOf(node, home)
  return {
    physFn: home.address,
    ...defined({ vfNumber: number }),
    ...(above === undefined || number === undefined ? {} : { path: `${above}/vf${number}` }),
  }
}

/**
 * Routing id = that of the physical function + offset + number × stride (PCI Express, SR-IOV extended
 * capability).
 */
function numberOf(node: TopologyNode, { parts, device }: TopologyNode): number | undefined {
  const { firstVfOffset, vfStride } = device.facts?.sriov ?? {}
  if (firstVfOffset === undefined) return undefined
  const id = ({ bus, slot, function: fn }: TopologyNode['parts']) => (bus << 8) | (slot << 3) | fn
  const number = (id(node.parts) - id(parts) - firstVfOffset) / Math.max(vfStride ?? 0, 1)
  return Number.isInteger(number) && number >= 0 ? number : undefined
}

/**
 * A domain above ffff belongs to VMD (drivers/pci/controller/vmd.c). Its root bus is below a function that a
 * listing does not name, so only a path of sysfs gives its functions a path.
 */
function isInVmdDomain({ address }: PciDevice): boolean {
  return addressParts(address).domain > 0xffff
}

function busOf(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf(':'))
}

/** The functions of one bus are below one bridge, so their paths differ only in the last step. */
function statedBuses(devices: readonly PciDevice[]): Map<string, string> {
  const buses = new Map<string, string>()
  for (const { address, path, physFn } of devices)
    if (path !== undefined && physFn === undefined)
      buses.set(busOf(address), path.slice(0, path.lastIndexOf('/')))
  return buses
}

function besides({ address, physFn }: PciDevice, stated: ReadonlyMap<string, string>): string | undefined {
  const above = physFn === undefined ? stated.get(busOf(address)) : undefined
  return above === undefined ? undefined : `${above}/${address.slice(address.lastIndexOf(':') + 1)}`
}
