/**
 * Reads `udevadm info --export-db`: ids, class, driver and path of every function, and its interfaces and
 * disks. The udev database has neither IOMMU groups nor configuration space.
 */
import { defined } from '../../base/defined.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Disk, NetworkInterface } from '../../pci/device.ts'
import type { Host } from '../../host/host.ts'
import { deviceAt, emptyDraft, fullListing, note, type DeviceDraft, type HostDraft } from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import { parseDevicePath, statePlace } from './places.ts'
import { eachUdevRecord, type UdevRecord } from './udev-records.ts'

export function readUdevadm(text: string, name: string): Host | undefined {
  const draft = emptyDraft()
  for (const record of eachUdevRecord(text)) readRecord(draft, record)
  if (draft.devices.size === 0) return undefined
  note(draft, 'the udev database states no IOMMU groups', fullListing)
  note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  return finishDraft(draft, 'udevadm', name)
}

function readRecord(draft: HostDraft, record: UdevRecord): void {
  const owner = parseDevicePath(record.path)?.steps.at(-1)
  if (owner === undefined) return
  const { properties } = record
  const lastPart = record.path.slice(record.path.lastIndexOf('/') + 1)
  const subsystem = properties.get('SUBSYSTEM')
  if (subsystem === 'pci' && parseAddress(lastPart) === owner) readFunction(draft, owner, record)
  else if (subsystem === 'net') addInterface(draft, owner, lastPart, properties)
  else if (subsystem === 'block' && properties.get('DEVTYPE') === 'disk')
    addDisk(draft, owner, lastPart, properties)
}

type Properties = ReadonlyMap<string, string>

function readFunction(draft: HostDraft, address: PciAddress, { path, properties }: UdevRecord): void {
  const device = deviceAt(draft, address)
  statePlace(draft, path)
  setPair(device, properties.get('PCI_ID'), 'vendorId', 'deviceId')
  setPair(device, properties.get('PCI_SUBSYS_ID'), 'subsystemVendorId', 'subsystemId')
  const code = properties.get('PCI_CLASS')
  // The kernel prints the class with %04X, so the leading zero of 0x060400 is missing.
  if (code !== undefined && /^[0-9a-f]{1,6}$/i.test(code))
    device.classCode = code.toLowerCase().padStart(6, '0')
  device.driver = properties.get('DRIVER')?.slice(0, 64) ?? null
  const className =
    properties.get('ID_PCI_SUBCLASS_FROM_DATABASE') ?? properties.get('ID_PCI_CLASS_FROM_DATABASE')
  if (className !== undefined) device.className = className.slice(0, 80)
  const words = [properties.get('ID_VENDOR_FROM_DATABASE'), properties.get('ID_MODEL_FROM_DATABASE')]
    .filter(Boolean)
    .join(' ')
  if (words !== '') device.name = words.slice(0, 300)
}

/** `8086:8C02`; ffff:ffff and 0000:0000 subsystems are kept as stated. */
function setPair(
  device: DeviceDraft,
  text: string | undefined,
  first: 'vendorId' | 'subsystemVendorId',
  second: 'deviceId' | 'subsystemId',
): void {
  const match = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(text ?? '')
  if (!match) return
  device[first] = (match[1] ?? '').toLowerCase().padStart(4, '0')
  device[second] = (match[2] ?? '').toLowerCase().padStart(4, '0')
}

function addInterface(draft: HostDraft, owner: PciAddress, lastPart: string, properties: Properties): void {
  const device = deviceAt(draft, owner)
  const name = properties.get('INTERFACE') ?? lastPart
  // `ID_NET_NAME_MAC=enx0050b6123456` contains the permanent address.
  const hex = /^(?:en|wl|ww)x([0-9a-f]{12})$/.exec(properties.get('ID_NET_NAME_MAC') ?? '')?.[1]
  const mac = hex?.match(/../g)?.join(':')
  const entry: NetworkInterface = { name: name.slice(0, 32), ...defined({ permanentMac: mac }) }
  device.networkInterfaces = [...(device.networkInterfaces ?? []), entry].slice(0, 64)
}

function addDisk(draft: HostDraft, owner: PciAddress, lastPart: string, properties: Properties): void {
  const device = deviceAt(draft, owner)
  const take = (key: string) => properties.get(key)?.slice(0, 128)
  const [model, serial, wwn] = [
    take('ID_MODEL'),
    take('ID_SERIAL_SHORT') ?? take('ID_SERIAL'),
    take('ID_WWN'),
  ]
  const disk: Disk = {
    name: lastPart.slice(0, 64),
    ...defined({ model, serial, wwn }),
  }
  device.disks = [...(device.disks ?? []), disk].slice(0, 1024)
}
