/**
 * A Host in the making: what the lines of a listing have stated so far. `finishDraft` turns it into a Host, filling in only
 * what follows from the statements themselves (order, groups, parents through stated bus numbers).
 */
import type { Finding } from '../../finding.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import type { Bar, PciDevice } from '../../pci/device.ts'
import type { FunctionFacts } from '../../pci/facts.ts'
import { findPaths, findTopology } from '../../pci/topology.ts'
import type { Host, IommuFacts, IommuGroup, SourceKind } from '../host.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export type FactsDraft = Writable<Partial<FunctionFacts>>
export type DeviceDraft = Writable<Omit<PciDevice, 'facts' | 'bars'>> & { facts?: FactsDraft; bars?: Bar[] }

export type Draft = {
  readonly devices: Map<PciAddress, DeviceDraft>
  /** Kernel names of members on other buses, with their group. */
  readonly otherMembers: Map<string, number>
  machine?: string
  readonly kernel: Writable<Host['kernel']>
  readonly cpu: Writable<Host['cpu']>
  readonly memory: Writable<Host['memory']>
  readonly iommu: Writable<IommuFacts>
  readonly findings: Finding[]
  /** Groups' default domain or reserved regions, where a form states them. */
  readonly groupFacts: Map<number, Writable<Partial<IommuGroup>>>
  /** What the input left out or where it broke off, and what would state it; becomes `input-incomplete`. */
  readonly notes: Map<string, string | undefined>
}

/** More functions than any machine has; what lies beyond is noted, not kept. */
export const deviceCap = 65_536

export function emptyDraft(): Draft {
  return {
    devices: new Map(),
    otherMembers: new Map(),
    kernel: {},
    cpu: {},
    memory: {},
    iommu: { state: 'unknown', kind: null },
    findings: [],
    groupFacts: new Map(),
    notes: new Map(),
  }
}

/** The device at this address, made when first seen. Beyond the cap a stray draft is returned, which nobody keeps. */
export function deviceAt(draft: Draft, address: PciAddress): DeviceDraft {
  const known = draft.devices.get(address)
  if (known) return known
  const device: DeviceDraft = { address }
  if (draft.devices.size < deviceCap) draft.devices.set(address, device)
  else note(draft, `more than ${deviceCap} functions are listed; the rest is not read`)
  return device
}

export function factsOf(device: DeviceDraft): FactsDraft {
  device.facts ??= {}
  return device.facts
}

/** One command that states what the poorer listings leave out. */
export const fullListing =
  'sudo lspci -nnvvv states ids, drivers, groups and capabilities in one listing (pciutils 3.7 or newer)'

export function note(draft: Draft, text: string, help?: string): void {
  if (draft.notes.size < 50 && !draft.notes.has(text)) draft.notes.set(text, help)
}

/** The group a listing states. A second, other one is a contradiction (two boots, two machines); the later counts, and a warning says so. */
export function stateGroup(draft: Draft, device: DeviceDraft, group: number): void {
  const before = device.iommuGroup
  if (typeof before === 'number' && before !== group)
    warnOnce(draft, `${device.address} is stated in IOMMU group ${before} and in ${group}`)
  device.iommuGroup = group
}

/** The ids a listing states; other ids for the same address mean that two machines, or two states of one, are mixed. */
export function stateIds(draft: Draft, device: DeviceDraft, vendorId: string, deviceId: string): void {
  const { vendorId: vendor, deviceId: id } = device
  if (vendor !== undefined && id !== undefined && (vendor !== vendorId || id !== deviceId))
    warnOnce(draft, `${device.address} is listed as ${vendor}:${id} and as ${vendorId}:${deviceId}`)
  device.vendorId = vendorId
  device.deviceId = deviceId
}

function warnOnce(draft: Draft, what: string): void {
  if (draft.findings.some((f) => f.code === 'input-incomplete' && f.severity === 'warning')) return
  draft.findings.push({
    code: 'input-incomplete',
    severity: 'warning',
    message: `the input contradicts itself: ${what}; the later statement counts`,
    help: 'give one listing of one machine at a time',
  })
}

export function finishDraft(draft: Draft, kind: SourceKind, name: string): Host {
  const drafts = [...draft.devices.values()].sort((a, b) => compareAddresses(a.address, b.address))
  const devices = withPlaces(drafts.map(finishDevice))
  const groups = groupsOf(draft, devices)
  const iommu: IommuFacts = groups.length > 0 ? { ...draft.iommu, state: 'on' } : draft.iommu
  const findings: Finding[] = [
    ...draft.findings,
    ...[...draft.notes].map(([message, help]): Finding => ({
      code: 'input-incomplete',
      severity: 'note',
      message,
      ...(help === undefined ? {} : { help }),
    })),
  ]
  return {
    schema: 1,
    source: { kind, name },
    ...(draft.machine === undefined ? {} : { machine: draft.machine }),
    kernel: draft.kernel,
    cpu: draft.cpu,
    memory: draft.memory,
    iommu: { ...iommu, kind: iommu.kind ?? kindFromDevices(devices) },
    devices,
    groups,
    needs: [],
    // No listing says what the host is mounted on, reached by or shown on.
    unreadNeeds: ['disk', 'network', 'display', 'console', 'input', 'vm'],
    findings,
  }
}

function finishDevice(draft: DeviceDraft): PciDevice {
  const { facts, bars, ...rest } = draft
  return {
    ...rest,
    ...(bars === undefined ? {} : { bars }),
    ...(facts === undefined ? {} : { facts: { depth: 'none', ...facts } }),
  }
}

function groupsOf(draft: Draft, devices: readonly PciDevice[]): IommuGroup[] {
  const members = new Map<number, { devices: PciAddress[]; others: string[] }>()
  const at = (id: number) => {
    let group = members.get(id)
    if (!group) members.set(id, (group = { devices: [], others: [] }))
    return group
  }
  for (const device of devices)
    if (typeof device.iommuGroup === 'number') at(device.iommuGroup).devices.push(device.address)
  for (const [name, id] of draft.otherMembers) at(id).others.push(name)
  return [...members]
    .sort(([a], [b]) => a - b)
    .map(([id, group]) => ({
      id,
      devices: group.devices,
      ...(group.others.length > 0 ? { otherMembers: group.others.sort() } : {}),
      ...draft.groupFacts.get(id),
    }))
}

/** AMD's IOMMU is a PCI function of its own (class 0806); other makers' kinds are not visible on the bus. */
function kindFromDevices(devices: readonly PciDevice[]): IommuFacts['kind'] {
  const unit = devices.find((d) => d.classCode?.startsWith('0806') === true)
  return unit?.vendorId === '1022' ? 'amd' : null
}

/** Bridges above and places, where the statements suffice; what hangs below a bridge that is not listed gets neither. */
function withPlaces(devices: readonly PciDevice[]): PciDevice[] {
  const topology = findTopology(devices)
  const paths = findPaths(topology)
  return devices.map((device) => {
    const node = topology.byAddress.get(device.address)
    const parent = node?.parentUnsure ? undefined : node?.parent?.address
    const path = paths.get(device.address)
    return { ...(parent && { parent }), ...(path !== undefined && { path }), ...device }
  })
}
