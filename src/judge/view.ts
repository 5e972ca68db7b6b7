/** The Host with the look-ups that checks share, made once per judgement. */
import { defined } from '../base/defined.ts'
import type { Host, HostNeed, IommuGroup, LostNeed } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { findCards } from '../pci/cards.ts'
import { withConfigFacts } from '../pci/config-space.ts'
import { findReservedMemory, parseDmar } from '../pci/dmar.ts'
import { predictFromTopology } from '../pci/predict-groups.ts'
import type { PlatformOptions } from '../pci/platform.ts'
import { judgeReset } from '../pci/reset.ts'
import type { Topology } from '../pci/topology-node.ts'
import { findTopology } from '../pci/topology.ts'
import { findAcsOverride } from './acs-words.ts'
import { aboveFinder, addTo, lostByFunction, needsByFunction } from './carried.ts'
import { staysBehind } from './group-mates.ts'
import { isolationOf } from './isolation.ts'
import { siliconOf } from './silicon.ts'
import type { Alike, HostView } from './host-view.ts'
import type { JudgeOptions } from './types.ts'

// One for all that have none, which are most.
const noNeeds: readonly HostNeed[] = []
const noLost: readonly LostNeed[] = []
const noAddresses: readonly PciAddress[] = []

export function viewOf(given: Host, options: JudgeOptions = {}): HostView {
  const host = { ...given, devices: given.devices.map((one) => (one.facts ? one : withConfigFacts(one))) }
  const topology = findTopology(host.devices)
  const byAddress = new Map<PciAddress, PciDevice>()
  for (const device of host.devices) byAddress.set(device.address, device)
  const groups = host.groups.length > 0 ? host.groups : groupsFromDevices(host.devices)
  const { groupOf, idOf } = groupFinder(groups, byAddress)
  const above = aboveFinder(host, byAddress)
  const needs = needsByFunction(host, above)
  const lost = lostByFunction(host, { above, byAddress, notInUse: options.notInUse ?? [] })
  const alike = alikeDevices(host.devices)
  const cards = once(() => findCards(host.devices, byAddress))
  const view: HostView = {
    ...{ host, topology, byAddress, groups, groupOf },
    platform: platformOf(host),
    predicted: once(() => predictFromTopology(topology, view.platform)),
    isolation: once(() => isolationOf(view)),
    reservedMemory: once(() => reservedMemoryOf(host, topology)),
    acsOverride: once(() => findAcsOverride(host)),
    resetOf: (address) => judgeReset(topology, address, host.kernel.release),
    alike: ({ address }) => alike.get(address),
    leaves: (device) => !staysBehind(device, idOf),
    cardOf: (address) => cards().get(address),
    aboveOf: above,
    needsOf: (address) => needs.get(address) ?? noNeeds,
    giveUp: new Set(options.giveUp ?? []),
    ownVms: new Set(options.ownVms ?? []),
    lostAt: (address) => lost.get(address) ?? noLost,
  }
  return view
}

/** Computed on its first use. */
function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => (known ??= { value: compute() }).value
}

/** By the list of groups, else by what the function states of itself. */
function groupFinder(groups: readonly IommuGroup[], byAddress: ReadonlyMap<PciAddress, PciDevice>) {
  const byId = new Map<number, IommuGroup>()
  const byMember = new Map<PciAddress, IommuGroup>()
  for (const group of groups) {
    byId.set(group.id, group)
    for (const address of group.devices) byMember.set(address, group)
  }
  return {
    groupOf: ({ address, iommuGroup }: PciDevice): IommuGroup | undefined =>
      byMember.get(address) ?? (typeof iommuGroup === 'number' ? byId.get(iommuGroup) : undefined),
    idOf: (address: PciAddress): number | undefined =>
      byMember.get(address)?.id ?? byAddress.get(address)?.iommuGroup ?? undefined,
  }
}

function reservedMemoryOf(host: Host, topology: Topology): ReturnType<HostView['reservedMemory']> {
  const dmar = host.iommu.dmar ? parseDmar(host.iommu.dmar) : undefined
  return dmar ? findReservedMemory(topology, dmar) : new Map()
}

function platformOf(host: Host): PlatformOptions {
  const { kernel, iommu } = host
  const override = kernel.cmdline === undefined ? findAcsOverride(host) : undefined
  // What the kernel may have been started with makes its groups as doubtful as what it was started with.
  const cmdline = kernel.cmdline ?? override?.word
  return {
    ...defined({ kernelRelease: kernel.release, cmdline, dmar: iommu.dmar, ivrs: iommu.ivrs }),
    iommuKind: iommu.kind,
  }
}

/**
 * Devices alike in every id that was read. An id that was not read is equal to nothing. Where no subsystem
 * was read, vendor and device id alone are the same, and `bySubsystem` is false.
 */
function alikeDevices(devices: readonly PciDevice[]): Map<PciAddress, Alike> {
  const byIds = new Map<string, PciDevice[]>()
  for (const device of devices) {
    const { vendorId, deviceId } = device
    if (
      vendorId === undefined ||
      deviceId === undefined ||
      isBridge(device) ||
      siliconOf(device) !== undefined
    )
      continue
    addTo(byIds, `${vendorId}:${deviceId}`, device)
  }
  const alike = new Map<PciAddress, Alike>()
  for (const list of byIds.values()) {
    if (list.length < 2) continue
    const isRead = list.every((one) => one.subsystemVendorId !== undefined && one.subsystemId !== undefined)
    for (const same of isRead ? bySubsystem(list) : [list]) {
      const together: Alike = { devices: same, bySubsystem: isRead }
      if (same.length > 1) for (const { address } of same) alike.set(address, together)
    }
  }
  return alike
}

function bySubsystem(devices: readonly PciDevice[]): readonly (readonly PciDevice[])[] {
  const lists = new Map<string, PciDevice[]>()
  for (const device of devices) addTo(lists, `${device.subsystemVendorId}:${device.subsystemId}`, device)
  return [...lists.values()]
}

/** Some listings state a group per function and no list of groups. */
function groupsFromDevices(devices: readonly PciDevice[]): IommuGroup[] {
  const members = new Map<number, PciAddress[]>()
  for (const { address, iommuGroup } of devices) {
    if (typeof iommuGroup !== 'number') continue
    const group = members.get(iommuGroup)
    if (group) group.push(address)
    else members.set(iommuGroup, [address])
  }
  return [...members].map(([id, addresses]) => ({ id, devices: addresses })).sort((a, b) => a.id - b.id)
}

/** The members of the same group that leave with it. */
export function companions(device: PciDevice, view: HostView): readonly PciAddress[] {
  const members = view.groupOf(device)?.devices ?? noAddresses
  if (members.length < 2 || !view.leaves(device)) return noAddresses
  return members.filter((address) => {
    const member = view.byAddress.get(address)
    return address !== device.address && (member === undefined || view.leaves(member))
  })
}
