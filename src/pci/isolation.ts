/**
 * Does the hardware keep what the kernel's groups claim? For each group the input states, asks of every member and every port
 * above it whether redirection is really there. `no` where the kernel believes an isolation nothing gives — an ACS override, a
 * control switched off after boot, a port met in the wrong order at boot. It forms no groups of its own.
 */
import { type AcsSettings, judgeAcs, parseAcsOverride, portTypeOf } from './acs.ts'
import type { PciAddress } from './address.ts'
import { withConfigFacts } from './config-space.ts'
import type { PciDevice } from './device.ts'
import { findPlatform, type PlatformOptions } from './platform.ts'
import { predictFromHardware, type PredictedGroup } from './predict-groups.ts'
import { findTopology, type Topology, type TopologyNode } from './topology.ts'

export type StatedGroup = { readonly id: number; readonly devices: readonly PciAddress[] }

export type Isolation = {
  readonly id: number
  readonly isolated: 'yes' | 'no' | 'unknown'
  /** With `no` and `unknown`: the port or function that gives no isolation, nearest first. */
  readonly port?: PciAddress
  readonly why?: 'no-acs' | 'acs-off' | 'shares-requester-id' | 'not-readable'
  /** With `no`: functions of other groups this group's devices may reach without passing the IOMMU. */
  readonly reaches?: readonly PciAddress[]
  /** The kernel was told to believe more than the hardware states (`pcie_acs_override=`), and this group rests on it. */
  readonly restsOnOverride?: true
}

/**
 * `options.control` should be `as-read` when the IOMMU is on: then the control words are those in force.
 * Groups are judged on their endpoints and ports alike.
 */
export function judgeIsolation(
  devices: readonly PciDevice[],
  groups: readonly StatedGroup[],
  options: PlatformOptions = {},
): readonly Isolation[] {
  const topology = findTopology(devices.map((d) => (d.facts || d.config === undefined ? d : withConfigFacts(d))))
  return isolationIn(topology, groups, options, predictFromHardware(topology, options))
}

/** The same with a topology and what the hardware gives at hand. */
export function isolationIn(
  topology: Topology,
  groups: readonly StatedGroup[],
  options: PlatformOptions,
  given: readonly PredictedGroup[],
): readonly Isolation[] {
  const { settings } = findPlatform(topology, options)
  const stated = new Map<PciAddress, number>()
  for (const group of groups) for (const address of group.devices) stated.set(address, group.id)
  const homes = new Map<PciAddress, { readonly devices: readonly PciAddress[]; readonly sure: boolean }>()
  for (const group of given) {
    const home = { devices: group.devices, sure: group.confidence === 'high' }
    for (const address of group.devices) homes.set(address, home)
  }
  const overridden = parseAcsOverride(options.cmdline) !== undefined
  return groups.map((group) => {
    let reached: Set<PciAddress> | undefined
    let sure = true
    for (const address of group.devices) {
      const home = homes.get(address)
      sure &&= home?.sure === true
      for (const other of home?.devices ?? [])
        if (isElsewhere(other, group.id, stated)) (reached ??= new Set()).add(other)
    }
    if (reached === undefined)
      return sure ? { id: group.id, isolated: 'yes' } : { id: group.id, isolated: 'unknown', why: 'not-readable' }
    const reaches = [...reached]
    const weak = findWeakPort(topology, group.devices, settings)
    return {
      id: group.id,
      isolated: sure ? 'no' : 'unknown',
      ...weak,
      reaches,
      ...(overridden && { restsOnOverride: true as const }),
    }
  })
}

function isElsewhere(address: PciAddress, id: number, stated: ReadonlyMap<PciAddress, number>): boolean {
  const other = stated.get(address)
  return other !== undefined && other !== id
}

/** The nearest function or port, from a member upwards, that does not isolate. */
function findWeakPort(
  topology: Topology,
  devices: readonly PciAddress[],
  settings: AcsSettings,
): Pick<Isolation, 'port' | 'why'> {
  for (const address of devices) {
    for (let node: TopologyNode | undefined = topology.byAddress.get(address); node; node = node.parent) {
      const judged = judgeAcs(node, settings)
      if (judged.value) continue
      return { port: node.address, why: whyWeak(node, judged.sure) }
    }
  }
  return { why: 'shares-requester-id' }
}

function whyWeak(node: TopologyNode, sure: boolean): NonNullable<Isolation['why']> {
  if (!sure) return 'not-readable'
  const portType = portTypeOf(node.device)
  if (portType === null || portType === 'pcieToPciBridge' || portType === 'pciToPcieBridge')
    return 'shares-requester-id'
  return node.device.facts?.acs ? 'acs-off' : 'no-acs'
}
