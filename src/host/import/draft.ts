/**
 * A Host in the making: what the lines of a listing have stated so far. `finishDraft` turns it into a Host, filling in only
 * what follows from the statements themselves (order, groups, parents through stated bus numbers).
 */
import type { Finding } from '../../finding.ts'
import { addressParts, compareAddresses, formatAddress, type PciAddress } from '../../pci/address.ts'
import { isBridge, type Bar, type PciDevice } from '../../pci/device.ts'
import type { FunctionFacts } from '../../pci/facts.ts'
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
  /** What the input left out or where it broke off; becomes `input-incomplete`. */
  readonly notes: string[]
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
    notes: [],
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

export function note(draft: Draft, text: string): void {
  if (draft.notes.length < 50 && !draft.notes.includes(text)) draft.notes.push(text)
}

export function finishDraft(draft: Draft, kind: SourceKind, name: string): Host {
  const drafts = [...draft.devices.values()].sort((a, b) => compareAddresses(a.address, b.address))
  findParents(drafts)
  const devices = drafts.map(finishDevice)
  const groups = groupsOf(draft, devices)
  const iommu: IommuFacts = groups.length > 0 ? { ...draft.iommu, state: 'on' } : draft.iommu
  const findings: Finding[] = [
    ...draft.findings,
    ...draft.notes.map((message): Finding => ({ code: 'input-incomplete', severity: 'note', message })),
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

/** The bridge whose stated bus range holds the device's bus, the narrowest first: VFs sit on buses above the secondary one. */
function findParents(devices: readonly DeviceDraft[]): void {
  const owners = busOwners(devices)
  for (const device of devices) {
    if (device.parent !== undefined) continue
    const { domain, bus } = addressParts(device.address)
    const owner = owners.get(domain)?.[bus]
    if (owner !== undefined && owner !== device.address) device.parent = owner
  }
  givePaths(devices)
}

function busOwners(devices: readonly DeviceDraft[]): Map<number, (PciAddress | undefined)[]> {
  const spans = new Map<number, { owner: PciAddress; from: number; to: number }[]>()
  for (const device of devices) {
    const { secondaryBus: from, subordinateBus: to } = device
    const { domain, bus } = addressParts(device.address)
    if (from === undefined || from <= bus || from > 0xff) continue
    const list = spans.get(domain) ?? []
    list.push({ owner: device.address, from, to: Math.min(to ?? from, 0xff) })
    spans.set(domain, list)
  }
  const owners = new Map<number, (PciAddress | undefined)[]>()
  for (const [domain, list] of spans) {
    const table: (PciAddress | undefined)[] = []
    // Wide spans first, so that a bridge deeper down overwrites the one above it.
    for (const span of list.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 4096))
      for (let bus = span.from; bus <= span.to; bus += 1) table[bus] = span.owner
    owners.set(domain, table)
  }
  return owners
}

/** `0000:00/1c.0/00.0`, where every step up to a root bus is known; bus 0 of a domain is always one. */
function givePaths(devices: readonly DeviceDraft[]): void {
  const byAddress = new Map(devices.map((device) => [device.address, device]))
  const told = domainsWithToldBuses(devices)
  const step = (address: PciAddress) => address.slice(address.lastIndexOf(':') + 1)
  for (const device of devices) {
    if (device.path !== undefined) continue
    const steps = [step(device.address)]
    let here: Pick<DeviceDraft, 'address' | 'parent'> = device
    while (here.parent !== undefined && steps.length < 32) {
      steps.push(step(here.parent))
      here = byAddress.get(here.parent) ?? { address: here.parent }
    }
    const { bus, domain } = addressParts(here.address)
    if (bus === 0 || told.has(domain)) device.path = `${rootBus(here.address)}/${steps.reverse().join('/')}`
  }
}

/** Where every bridge states its buses, a bus without a bridge is a root bus; where one does not, it may be behind that. */
function domainsWithToldBuses(devices: readonly DeviceDraft[]): Set<number> {
  const told = new Set<number>()
  const silent = new Set<number>()
  for (const device of devices) {
    const { domain } = addressParts(device.address)
    if (device.secondaryBus !== undefined) told.add(domain)
    else if (isBridge(device as PciDevice) || device.classCode === undefined) silent.add(domain)
  }
  for (const domain of silent) told.delete(domain)
  return told
}

function rootBus(address: PciAddress): string {
  const { domain, bus } = addressParts(address)
  return formatAddress({ domain, bus, slot: 0, function: 0 }).slice(0, -5)
}
