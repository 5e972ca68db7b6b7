/**
 * Turns a umockdev recording (`umockdev-record --all`) into a sysfs tree, which the live reader then reads.
 * This file only puts attributes, links and class folders in the places where the kernel has them.
 */
import { parseAddress } from '../../pci/address.ts'
import { addToTree, emptyTree, type Tree } from '../tree.ts'
import { eachUdevRecord, type UdevRecord } from './udev-records.ts'

/** True for recordings, which have attributes and links that the udev database lacks. */
export function isRecording(text: string): boolean {
  return /^(?:A: [\w.-]{1,80}=|H: [\w.-]{1,80}=|L: [\w.-]{1,80}=\.\.?\/)/m.test(text.slice(0, 1_000_000))
}

export function umockdevTree(text: string): Tree | undefined {
  const tree = emptyTree()
  let functions = 0
  for (const record of eachUdevRecord(text)) {
    addRecord(tree, record)
    if (record.properties.get('SUBSYSTEM') === 'pci' || parseAddress(lastPart(record.path)) !== undefined)
      functions += 1
  }
  return functions > 0 ? tree : undefined
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function addRecord(tree: Tree, record: UdevRecord): void {
  const folder = `/sys${record.path}`
  for (const [name, text] of record.attributes)
    addFile(tree, `${folder}/${name}`, new TextEncoder().encode(text))
  for (const [name, hex] of record.hexAttributes) addFile(tree, `${folder}/${name}`, fromHex(hex))
  for (const [name, target] of record.links) addLink(tree, `${folder}/${name}`, target)
  addUevent(tree, folder, record)
  if (parseAddress(lastPart(record.path)) !== undefined && record.properties.get('SUBSYSTEM') !== 'net')
    addFunction(tree, record)
  else addOther(tree, record)
}

function addFile(tree: Tree, path: string, bytes: Uint8Array): void {
  addToTree(tree, path, { kind: 'file', bytes })
}

function addLink(tree: Tree, path: string, target: string): void {
  addToTree(tree, path, { kind: 'link', target: target.slice(0, 2000) })
}

function addUevent(tree: Tree, folder: string, record: UdevRecord): void {
  const lines = [...record.properties].map(([key, value]) => `${key}=${value}\n`)
  if (!record.attributes.has('uevent'))
    addFile(tree, `${folder}/uevent`, new TextEncoder().encode(lines.join('')))
}

/**
 * Adds the links of bus, driver, group and IOMMU unit, and ids from the properties if attributes are missing.
 */
function addFunction(tree: Tree, record: UdevRecord): void {
  const folder = `/sys${record.path}`
  const address = lastPart(record.path)
  addLink(tree, `/sys/bus/pci/devices/${address}`, `../../../..${folder}`)
  const attribute = (name: string, value: string | undefined) => {
    if (value !== undefined && !record.attributes.has(name))
      addFile(tree, `${folder}/${name}`, new TextEncoder().encode(`${value}\n`))
  }
  const ids = (record.properties.get('PCI_ID') ?? '').toLowerCase().split(':')
  const subsystem = (record.properties.get('PCI_SUBSYS_ID') ?? '').toLowerCase().split(':')
  const code = record.properties.get('PCI_CLASS')
  attribute('vendor', ids.length === 2 ? `0x${ids[0]}` : undefined)
  attribute('device', ids.length === 2 ? `0x${ids[1]}` : undefined)
  attribute('subsystem_vendor', subsystem.length === 2 ? `0x${subsystem[0]}` : undefined)
  attribute('subsystem_device', subsystem.length === 2 ? `0x${subsystem[1]}` : undefined)
  attribute('class', code === undefined ? undefined : `0x${code.toLowerCase().padStart(6, '0')}`)
  const driver = record.properties.get('DRIVER')
  if (driver !== undefined && /^[\w.-]{1,64}$/.test(driver) && !record.links.has('driver'))
    addLink(tree, `${folder}/driver`, `/sys/bus/pci/drivers/${driver}`)
  addGroup(tree, record, address)
}

function addGroup(tree: Tree, record: UdevRecord, address: string): void {
  const group = /\/iommu_groups\/(\d{1,6})$/.exec(record.links.get('iommu_group') ?? '')?.[1]
  if (group !== undefined)
    addLink(tree, `/sys/kernel/iommu_groups/${group}/devices/${address}`, `../../../..${record.path}`)
  const unit = /\/iommu\/([\w.-]{1,64})$/.exec(record.links.get('iommu') ?? '')?.[1]
  if (unit === undefined) return
  addLink(tree, `/sys/class/iommu/${unit}`, `../../devices/virtual/iommu/${unit}`)
  addToTree(tree, `/sys/devices/virtual/iommu/${unit}`, emptyTree())
}

/** Adds interfaces, disks, NVMe controllers and others to the class folders of their subsystems. */
function addOther(tree: Tree, record: UdevRecord): void {
  const subsystem = record.properties.get('SUBSYSTEM')
  const name = lastPart(record.path)
  if (subsystem === undefined || !/^[\w.-]{1,64}$/.test(subsystem) || !/^[\w.:@-]{1,128}$/.test(name)) return
  addLink(tree, `/sys/class/${subsystem}/${name}`, `/sys${record.path}`)
  if (subsystem !== 'block') return
  if (record.properties.get('DEVTYPE') === 'disk') addLink(tree, `/sys/block/${name}`, `/sys${record.path}`)
  const [major, minor] = [record.properties.get('MAJOR'), record.properties.get('MINOR')]
  if (/^\d{1,6}$/.test(major ?? '') && /^\d{1,8}$/.test(minor ?? ''))
    addLink(tree, `/sys/dev/block/${major}:${minor}`, `/sys${record.path}`)
}

function fromHex(text: string): Uint8Array {
  const length = Math.min(text.length >> 1, 65_536)
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) {
    const value = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16)
    if (Number.isNaN(value)) return bytes.slice(0, index)
    bytes[index] = value
  }
  return bytes
}
