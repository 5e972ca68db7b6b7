/**
 * Does the hardware keep what the kernel's groups claim? For each group the input states, asks of every
 * member and every port above it whether redirection is really there. `no` where the kernel believes an
 * isolation nothing gives — an ACS override, a control switched off after boot, a port met in the wrong order
 * at boot. It forms no groups of its own.
 */
import { portTypeOf } from './multifunction.ts'
import { parseAcsOverride } from './acs-override.ts'
import { type AcsSettings, judgeAcs } from './acs.ts'
import type { PciAddress } from './address.ts'
import { type PredictedGroup } from './predict-groups.ts'
import type { Topology, TopologyNode } from './topology-node.ts'

export type StatedGroup = { readonly id: number; readonly devices: readonly PciAddress[] }

export type Isolation = {
  readonly id: number
  readonly isolated: 'yes' | 'no' | 'unknown'
  /** With `no` and `unknown`: the port or function that gives no isolation, nearest first. */
  readonly port?: PciAddress
  readonly why?: 'no-acs' | 'acs-off' | 'shares-requester-id' | 'not-readable'
  /** With `no`: functions of other groups this group's devices may reach without passing the IOMMU. */
  readonly reaches?: readonly PciAddress[]
  /**
   * An argument makes the kernel believe more than the hardware states (`pcie_acs_override=`), and this group
   * rests on it.
   */
  readonly restsOnOverride?: true
}

export type IsolationOptions = { readonly settings: AcsSettings; readonly cmdline?: string | undefined }

/** The same with a topology and what the hardware gives at hand. */
export function isolationIn(
  topology: Topology,
  groups: readonly StatedGroup[],
  options: IsolationOptions,
  given: readonly PredictedGroup[],
): readonly Isolation[] {
  const overridden = parseAcsOverride(options.cmdline) !== undefined
  const byFirst = new Map<PciAddress | undefined, PredictedGroup>()
  for (const group of given) byFirst.set(group.devices[0], group)
  let members: Members | undefined
  return groups.map((group) => {
    const same = byFirst.get(group.devices[0])
    // Most groups are just what the hardware gives; only the others need to know of every function where it
    // belongs.
    if (same !== undefined && isSameList(same.devices, group.devices))
      return unreached(group.id, same.confidence === 'high')
    const { reaches, sure } = reachedFrom(group, (members ??= membersOf(groups, given)))
    if (reaches.length === 0) return unreached(group.id, sure)
    return {
      id: group.id,
      isolated: sure ? 'no' : 'unknown',
      ...findWeakPort(topology, group.devices, options.settings),
      reaches,
      ...(overridden && { restsOnOverride: true as const }),
    }
  })
}

function unreached(id: number, sure: boolean): Isolation {
  return sure ? { id, isolated: 'yes' } : { id, isolated: 'unknown', why: 'not-readable' }
}

function isSameList(a: readonly PciAddress[], b: readonly PciAddress[]): boolean {
  return a.length === b.length && a.every((address, at) => address === b[at])
}

/** The group that the input states for each function, and the one that the hardware gives. */
type Members = {
  readonly stated: ReadonlyMap<PciAddress, number>
  readonly given: ReadonlyMap<PciAddress, PredictedGroup>
}

function membersOf(groups: readonly StatedGroup[], given: readonly PredictedGroup[]): Members {
  const stated = new Map<PciAddress, number>()
  for (const group of groups) for (const address of group.devices) stated.set(address, group.id)
  const homes = new Map<PciAddress, PredictedGroup>()
  for (const group of given) for (const address of group.devices) homes.set(address, group)
  return { stated, given: homes }
}

/** Members of other groups that the hardware does not keep from this one's. */
function reachedFrom(
  group: StatedGroup,
  members: Members,
): { reaches: readonly PciAddress[]; sure: boolean } {
  const reached = new Set<PciAddress>()
  let sure = true
  for (const address of group.devices) {
    const home = members.given.get(address)
    sure &&= home?.confidence === 'high'
    for (const other of home?.devices ?? [])
      if (isElsewhere(other, group.id, members.stated)) reached.add(other)
  }
  return { reaches: [...reached], sure }
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
