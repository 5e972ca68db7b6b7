/**
 * A Host in the making: what the lines of a listing have stated so far. finish-draft.ts
 * makes a Host of it.
 */
import type { Finding } from '../../base/finding.ts'
import type { PciAddress } from '../../pci/address.ts'
import type { Bar, PciDevice } from '../../pci/device.ts'
import type { FunctionFacts } from '../../pci/facts.ts'
import type { Host, HostNeed, IommuFacts, IommuGroup, LostNeed, Refusal } from '../../host/host.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export type FactsDraft = Writable<Partial<FunctionFacts>>
export type DeviceDraft = Writable<Omit<PciDevice, 'facts' | 'bars'>> & { facts?: FactsDraft; bars?: Bar[] }

export type HostDraft = {
  readonly devices: Map<PciAddress, DeviceDraft>
  /** Kernel names of members on other buses, with their group. */
  readonly otherMembers: Map<string, number>
  /** Buses that the input calls root buses: `0000:80`. */
  readonly rootBuses: Set<string>
  /** Numbers of virtual functions, where the input lists them in order. */
  readonly vfNumbers: Map<PciAddress, number>
  machine?: string
  /** What shows that the input is of two machines. */
  twoMachines?: string
  readonly kernel: Writable<Host['kernel']>
  readonly cpu: Writable<Host['cpu']>
  readonly memory: Writable<Host['memory']>
  readonly iommu: Writable<IommuFacts>
  readonly findings: Finding[]
  /** Needs of the host that the input states, and those whose end it does not tell. */
  readonly needs: HostNeed[]
  readonly lostNeeds: LostNeed[]
  /** Groups' default domain or reserved regions, where a form states them. */
  readonly groupFacts: Map<number, Writable<Partial<IommuGroup>>>
  /** What the input left out or where it broke off, and what would state it; becomes `input-incomplete`. */
  readonly notes: Map<string, string | undefined>
  /** What was refused, by what it says: a log repeats itself. */
  readonly refusals: Map<string, Refusal>
  /** Lines of configuration files, by path. */
  readonly files: Map<string, string[]>
  /** The file whose one line comes next, by the command before it. */
  expects?: '/proc/cmdline' | '/etc/kernel/cmdline' | '/boot/loader/entries/*.conf' | undefined
  /** The function that draws fb0, the text console's. */
  framebuffer?: PciAddress
  /** What the input says of Xen; absent when it says nothing. */
  xen?: { readonly isControl: boolean; readonly isFull: boolean }
  /** The file of module options that was named last. */
  modprobeFile?: string
}

/** More functions than any machine has; what lies beyond is noted, not kept. */
export const deviceCap = 65_536

export function emptyDraft(): HostDraft {
  return {
    devices: new Map(),
    otherMembers: new Map(),
    rootBuses: new Set(),
    vfNumbers: new Map(),
    kernel: {},
    cpu: {},
    memory: {},
    iommu: { state: 'unknown', kind: null },
    findings: [],
    needs: [],
    lostNeeds: [],
    groupFacts: new Map(),
    notes: new Map(),
    refusals: new Map(),
    files: new Map(),
  }
}

/**
 * The device at this address, made when first seen. Beyond the cap a stray draft is returned, which nobody
 * keeps.
 */
export function deviceAt(draft: HostDraft, address: PciAddress): DeviceDraft {
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

export function note(draft: HostDraft, text: string, help?: string): void {
  if (draft.notes.size < 50 && !draft.notes.has(text)) draft.notes.set(text, help)
}

export function stateNeed(draft: HostDraft, need: HostNeed): void {
  const isKnown = draft.needs.some(
    (one) => one.kind === need.kind && one.what === need.what && one.device === need.device,
  )
  if (!isKnown && draft.needs.length < 1024) draft.needs.push(need)
}

/** Four digits state no programming interface; they do not take away one that is known of the same class. */
export function stateClass(device: DeviceDraft, code: string): void {
  if (device.classCode?.startsWith(code) !== true) device.classCode = code
}
