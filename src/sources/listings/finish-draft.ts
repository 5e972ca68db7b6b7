/**
 * Turns a draft into a Host. It adds only what follows from the statements themselves (order, groups,
 * places).
 */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'
import type { Host, HostFile, HostNeed, IommuFacts, IommuGroup, SourceKind } from '../../host/host.ts'
import type { DeviceDraft, HostDraft } from './draft.ts'
import { withPlaces } from './places.ts'
import { concludeXen } from './xen.ts'

export function finishDraft(draft: HostDraft, kind: SourceKind, name: string): Host {
  const drafts = [...draft.devices.values()].sort((a, b) => compareAddresses(a.address, b.address))
  const devices = withBootDisplay(withPlaces(draft, withBridges(drafts.map(finishDevice))))
  const groups = groupsOf(draft, devices)
  const xen = concludeXen(draft)
  const iommu: IommuFacts = groups.length > 0 ? { ...draft.iommu, state: 'on' } : draft.iommu
  const findings: Finding[] = [
    ...draft.findings,
    ...mixture(draft),
    ...[...draft.notes].map(([message, help]): Finding => ({
      code: 'input-incomplete',
      severity: 'note',
      message,
      ...defined({ help }),
    })),
  ]
  return {
    schema: 1,
    source: { kind, name },
    ...defined({ twoMachines: draft.twoMachines, machine: draft.machine }),
    kernel: draft.kernel,
    cpu: draft.cpu,
    ...xen,
    memory: draft.memory,
    iommu: { ...iommu, kind: iommu.kind ?? kindFromDevices(devices) },
    devices,
    groups,
    needs: [...displayNeeds(devices), ...textConsoleNeeds(draft, devices), ...draft.needs],
    ...(draft.lostNeeds.length > 0 ? { lostNeeds: draft.lostNeeds } : {}),
    // No listing shows the mounts, routes and screens of the host.
    unreadNeeds: ['disk', 'network', 'display', 'console', 'input', 'vm'],
    ...(draft.refusals.size > 0 && { refusals: [...draft.refusals.values()] }),
    ...(draft.files.size > 0 && { files: filesOf(draft) }),
    findings,
  }
}

/**
 * The screen that the firmware set up. No listing shows whether there is another way to log in, such as a
 * serial console.
 */
function displayNeeds(devices: readonly PciDevice[]): HostNeed[] {
  return devices
    .filter(({ bootVga }) => bootVga === true)
    .map(({ address }) => ({
      kind: 'display',
      what: 'boot display',
      chain: [],
      device: address,
      weight: 'vital',
    }))
}

/**
 * The text console is on fb0, unless all `console=` arguments name other devices. A listing beside the log
 * may show that VFIO holds the function now.
 */
function textConsoleNeeds({ framebuffer, kernel }: HostDraft, devices: readonly PciDevice[]): HostNeed[] {
  const drawn = devices.find(({ address }) => address === framebuffer)
  const consoles = [...(kernel.cmdline ?? '').matchAll(/(?:^|\s)console=(\w{1,20})/g)].map(
    ([, name]) => name ?? '',
  )
  const isElsewhere = consoles.length > 0 && !consoles.some((name) => /^tty\d*$/.test(name))
  if (drawn === undefined || drawn.driver === null || isVfioDriver(drawn.driver) || isElsewhere) return []
  return [{ kind: 'console', what: 'text console', chain: ['fb0'], device: drawn.address, weight: 'vital' }]
}

function mixture({ twoMachines }: HostDraft): Finding[] {
  if (twoMachines === undefined) return []
  return [
    {
      code: 'two-machines',
      severity: 'warning',
      message: `the input is from two machines: ${twoMachines}; so no device is judged`,
      help: 'give a listing of one machine only',
    },
  ]
}

/** A function with functions or a bus below it is a bridge, even if the input does not describe it. */
function withBridges(devices: readonly PciDevice[]): PciDevice[] {
  const parents = new Set(devices.flatMap(({ parent }) => parent ?? []))
  return devices.map((device) => {
    const isUnknown = device.classCode === undefined && device.headerType === undefined
    const leads = parents.has(device.address) || device.secondaryBus !== undefined
    return isUnknown && leads ? { ...device, headerType: 1 } : device
  })
}

function filesOf({ files }: HostDraft): HostFile[] {
  return [...files].map(([path, lines]) => ({ path, text: `${lines.join('\n')}\n` }))
}

/** There is only one boot display, so if it is known, the other screens are not. */
function withBootDisplay(devices: readonly PciDevice[]): readonly PciDevice[] {
  if (!devices.some(({ bootVga }) => bootVga === true)) return devices
  return devices.map((one) =>
    one.classCode?.startsWith('0300') && one.bootVga === undefined ? { ...one, bootVga: false } : one,
  )
}

function finishDevice(draft: DeviceDraft): PciDevice {
  const { facts, bars, ...rest } = draft
  return {
    ...rest,
    ...defined({ bars }),
    ...(facts === undefined ? {} : { facts: { depth: 'none', ...facts } }),
  }
}

function groupsOf(draft: HostDraft, devices: readonly PciDevice[]): IommuGroup[] {
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

/** AMD's IOMMU is a PCI function (class 0806); those of other makers are not visible on the bus. */
function kindFromDevices(devices: readonly PciDevice[]): IommuFacts['kind'] {
  const unit = devices.find((d) => d.classCode?.startsWith('0806') === true)
  return unit?.vendorId === '1022' ? 'amd' : null
}
