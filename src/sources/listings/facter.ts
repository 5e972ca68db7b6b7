/**
 * Reads the report of nixos-facter, which has hwinfo's data as JSON. PCI functions are under many headings of
 * `hardware`, some of them twice; the bus type identifies them. A value of an unexpected type is ignored.
 */
import { hex } from '../../pci/hex.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Host } from '../../host/host.ts'
import { deviceAt, emptyDraft, fullListing, note, type DeviceDraft, type HostDraft } from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import { parseDevicePath, statePlace } from './places.ts'

type Json = { readonly [key: string]: unknown }

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True if a parsed document has the form of a report, of any version. */
export function isFacterReport(document: unknown): document is Json {
  return isObject(document) && isObject(document['hardware'])
}

export function readFacter(document: Json, name: string): Host | undefined {
  const draft = emptyDraft()
  const byIndex = new Map<number, PciAddress>()
  const attached: { readonly device: DeviceDraft; readonly to: number }[] = []
  for (const entry of entriesOf(document['hardware'])) {
    const address = addressOf(entry)
    if (address === undefined) continue
    const device = deviceAt(draft, address)
    readEntry(device, entry)
    if (typeof entry['sysfs_id'] === 'string') statePlace(draft, entry['sysfs_id'].slice(0, 2000))
    if (typeof entry['index'] === 'number') byIndex.set(entry['index'], address)
    if (typeof entry['attached_to'] === 'number') attached.push({ device, to: entry['attached_to'] })
  }
  if (draft.devices.size === 0) return undefined
  for (const { device, to } of attached) {
    const above = byIndex.get(to)
    if (device.parent === undefined && above !== undefined && above !== device.address) device.parent = above
  }
  for (const entry of entriesOf(document['hardware'])) readAttached(draft, entry)
  readMachine(draft, document)
  if (![...draft.devices.values()].some((d) => typeof d.iommuGroup === 'number'))
    note(draft, 'the report states no IOMMU groups', fullListing)
  else for (const device of draft.devices.values()) device.iommuGroup ??= null
  note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  return finishDraft(draft, 'facter', name)
}

function entriesOf(hardware: unknown): Json[] {
  if (!isObject(hardware)) return []
  return Object.values(hardware).flatMap((list) =>
    Array.isArray(list) ? list.filter(isObject) : isObject(list) ? [list] : [],
  )
}

function addressOf(entry: Json): PciAddress | undefined {
  const bus = entry['bus_type']
  const isPci = isObject(bus) && (bus['name'] === 'PCI' || bus['value'] === 4)
  const id = entry['sysfs_bus_id']
  return isPci && typeof id === 'string' ? parseAddress(id) : undefined
}

function readEntry(device: DeviceDraft, entry: Json): void {
  const set = (key: 'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemId', from: string) => {
    const id = numberOf(entry[from])
    if (id !== undefined) device[key] = hex(id & 0xffff, 4)
  }
  set('vendorId', 'vendor')
  set('deviceId', 'device')
  set('subsystemVendorId', 'sub_vendor')
  set('subsystemId', 'sub_device')
  // A report leaves out an id of 0 without a name (nixos-facter, pkg/hwinfo/id.go, IsEmpty), so an absent one
  // is 0.
  const [base, sub] = [numberOf(entry['base_class']), numberOf(entry['sub_class'])]
  if (base !== undefined)
    device.classCode =
      hex(base & 0xff, 2) + hex((sub ?? 0) & 0xff, 2) + hex((numberOf(entry['pci_interface']) ?? 0) & 0xff, 2)
  const className = nameOf(entry['sub_class']) ?? nameOf(entry['base_class'])
  if (className !== undefined) device.className = className
  const revision = numberOf(entry['revision'])
  if (revision !== undefined) device.revision = hex(revision & 0xff, 2)
  const words = [nameOf(entry['vendor']), nameOf(entry['device'])]
    .filter((word) => word !== undefined)
    .join(' ')
  if (words !== '') device.name = words
  else if (typeof entry['model'] === 'string') device.name ??= entry['model'].slice(0, 300)
  if (typeof entry['driver'] === 'string') device.driver = entry['driver'].slice(0, 64)
  else device.driver ??= null
  readPlace(device, entry)
}

function readPlace(device: DeviceDraft, entry: Json): void {
  const group = entry['sysfs_iommu_group_id']
  if (typeof group === 'number' && Number.isInteger(group) && group >= 0) device.iommuGroup = group
  if (Array.isArray(entry['driver_modules'])) {
    const modules = entry['driver_modules'].filter((m): m is string => typeof m === 'string' && m.length < 65)
    if (modules.length > 0) device.modules = modules.slice(0, 64)
  }
  const detail = entry['detail']
  if (!isObject(detail)) return
  const header = detail['header_type']
  if (header === 0 || header === 1 || header === 2) device.headerType = header
  const secondary = detail['secondary_bus']
  if (header === 1 && typeof secondary === 'number' && secondary > 0 && secondary < 256)
    device.secondaryBus = secondary
}

/** Interfaces and disks have another bus type; their path names the function to which they are attached. */
function readAttached(draft: HostDraft, entry: Json): void {
  const [id, link] = [entry['sysfs_id'], entry['sysfs_device_link']]
  if (typeof id !== 'string' || typeof link !== 'string') return
  const owner = parseDevicePath(link.slice(0, 2000))?.steps.at(-1)
  const device = owner === undefined ? undefined : draft.devices.get(owner)
  const [, kind, name] = /^\/class\/(net|block)\/([\w.:@-]{1,64})$/.exec(id) ?? []
  if (!device || name === undefined) return
  if (kind === 'net') device.networkInterfaces = [...(device.networkInterfaces ?? []), { name }].slice(0, 64)
  const model = typeof entry['model'] === 'string' ? { model: entry['model'].slice(0, 128) } : {}
  const serial = typeof entry['serial'] === 'string' ? { serial: entry['serial'].slice(0, 128) } : {}
  if (kind === 'block') device.disks = [...(device.disks ?? []), { name, ...model, ...serial }].slice(0, 1024)
}

/** hwinfo writes numbers as `{ "hex": "8086", "value": 32902 }`. */
function numberOf(field: unknown): number | undefined {
  if (!isObject(field)) return undefined
  const value = field['value']
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  const text = field['hex']
  return typeof text === 'string' && /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : undefined
}

function nameOf(field: unknown): string | undefined {
  return isObject(field) && typeof field['name'] === 'string' ? field['name'].slice(0, 200) : undefined
}

function readMachine(draft: HostDraft, document: Json): void {
  if (document['virtualisation'] === 'none') draft.cpu.isGuest = false
  else if (typeof document['virtualisation'] === 'string') draft.cpu.isGuest = true
  readCpu(draft, document['hardware'])
  const smbios = document['smbios']
  const board = isObject(smbios) ? smbios['board'] : undefined
  const boards = Array.isArray(board) ? board : [board]
  for (const part of boards) {
    if (!isObject(part)) continue
    const words = [part['manufacturer'], part['product']].filter(
      (word): word is string => typeof word === 'string',
    )
    if (words.length > 0) draft.machine ??= words.join(' ').slice(0, 200)
  }
}

function readCpu(draft: HostDraft, hardware: unknown): void {
  const list = isObject(hardware) ? hardware['cpu'] : undefined
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  if (!isObject(first)) return
  if (typeof first['vendor_name'] === 'string') draft.cpu.vendor = first['vendor_name'].slice(0, 64)
  const features: unknown = first['features']
  if (!Array.isArray(features)) return
  draft.cpu.virtualisation = features.includes('vmx') ? 'vmx' : features.includes('svm') ? 'svm' : null
}
