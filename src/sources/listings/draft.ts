/** The facts that the lines of a listing have stated so far. finish-draft.ts turns them into a Host. */
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
  /** Buses that the input names as root buses: `0000:80`. */
  readonly rootBuses: Set<string>
  /** Numbers of virtual functions, if the input lists them in order. */
  readonly vfNumbers: Map<PciAddress, number>
  machine?: string
  /** The evidence that the input comes from two machines. */
  twoMachines?: string
  readonly kernel: Writable<Host['kernel']>
  readonly cpu: Writable<Host['cpu']>
  readonly memory: Writable<Host['memory']>
  readonly iommu: Writable<IommuFacts>
  readonly findings: Finding[]
  /** Needs of the host in the input; `lostNeeds` are those whose end the input does not show. */
  readonly needs: HostNeed[]
  readonly lostNeeds: LostNeed[]
  /** Default domain and reserved regions of groups. */
  readonly groupFacts: Map<number, Writable<Partial<IommuGroup>>>
  /** Missing parts of the input → the help on how to get them. Each becomes a finding `input-incomplete`. */
  readonly notes: Map<string, string | undefined>
  /** Refusals by their content, since a log repeats them. */
  readonly refusals: Map<string, Refusal>
  /** Lines of configuration files, by path. */
  readonly files: Map<string, string[]>
  /** The file whose only line comes next, as the command before it shows. */
  expects?: '/proc/cmdline' | '/etc/kernel/cmdline' | '/boot/loader/entries/*.conf' | undefined
  /** The function that draws fb0, on which the text console is. */
  framebuffer?: PciAddress
  /** What the input shows about Xen. Absent: nothing. */
  xen?: { readonly isControl: boolean; readonly isFull: boolean }
  /** The file of module options that the input named last. */
  modprobeFile?: string
}

/** More functions than any machine has. Further functions are noted and dropped. */
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

/** The draft of the device at this address. Beyond the cap it returns a draft that is not kept. */
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

/** The command whose output has all that smaller listings lack. */
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

/**
 * A code of four digits has no programming interface, so it does not replace a longer one of the same class.
 */
export function stateClass(device: DeviceDraft, code: string): void {
  if (device.classCode?.startsWith(code) !== true) device.classCode = code
}
