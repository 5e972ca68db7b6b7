/** The Host with the look-ups that checks share, made once per judgement. */
import type { Host, HostNeed, IommuGroup } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { chipsetNeeds } from './chipset.ts'
import type { JudgeOptions } from './types.ts'

export type HostView = {
  readonly host: Host
  readonly byAddress: ReadonlyMap<PciAddress, PciDevice>
  readonly groups: readonly IommuGroup[]
  readonly groupOf: (device: PciDevice) => IommuGroup | undefined
  /** Needs carried by the function, or by something that hangs below it (disks behind a VMD controller). */
  readonly needsOf: (address: PciAddress) => readonly HostNeed[]
  readonly giveUp: ReadonlySet<string>
}

export function viewOf(host: Host, options: JudgeOptions = {}): HostView {
  const byAddress = new Map(host.devices.map((device) => [device.address, device]))
  const groups = host.groups.length > 0 ? host.groups : groupsFromDevices(host.devices)
  const groupById = new Map(groups.map((group) => [group.id, group]))
  const groupByMember = new Map(groups.flatMap((group) => group.devices.map((address) => [address, group] as const)))
  const needs = needsByFunction(host, byAddress)
  return {
    host,
    byAddress,
    groups,
    groupOf: (device) =>
      groupByMember.get(device.address) ??
      (typeof device.iommuGroup === 'number' ? groupById.get(device.iommuGroup) : undefined),
    needsOf: (address) => needs.get(address) ?? [],
    giveUp: new Set(options.giveUp ?? []),
  }
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

function needsByFunction(host: Host, byAddress: ReadonlyMap<PciAddress, PciDevice>): Map<PciAddress, HostNeed[]> {
  const byPath = new Map(host.devices.flatMap((device) => (device.path ? [[device.path, device] as const] : [])))
  const needs = new Map<PciAddress, HostNeed[]>()
  const add = (address: PciAddress, need: HostNeed): void => {
    const list = needs.get(address)
    if (list) list.push(need)
    else needs.set(address, [need])
  }
  for (const need of [...host.needs, ...chipsetNeeds(host.devices)]) {
    add(need.device, need)
    const steps = byAddress.get(need.device)?.path?.split('/') ?? []
    for (let length = 2; length < steps.length; length++) {
      const above = byPath.get(steps.slice(0, length).join('/'))
      if (above && !isBridge(above)) add(above.address, { ...need, chain: [...need.chain, need.device] })
    }
  }
  return needs
}

/** Endpoints of the same group: bridges stay with pcieport and do not spoil it. */
export function companions(device: PciDevice, view: HostView): PciAddress[] {
  const members = view.groupOf(device)?.devices ?? []
  return members.filter((address) => {
    const member = view.byAddress.get(address)
    return address !== device.address && !(member && isBridge(member))
  })
}
