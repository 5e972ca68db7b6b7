/**
 * Reads `lshw -json`: nested nodes. PCI functions have `businfo: pci@…`; interfaces, disks and mounted
 * volumes are below the function to which they are attached. Only `-numeric` prints ids, and lshw never
 * prints groups.
 */
import { defined } from '../../base/defined.ts'
import { parseAddress } from '../../pci/address.ts'
import type { Disk } from '../../pci/device.ts'
import type { Host } from '../../host/host.ts'
import { classFromWords } from './class-words.ts'
import {
  stateClass,
  stateNeed,
  deviceAt,
  emptyDraft,
  fullListing,
  note,
  type DeviceDraft,
  type HostDraft,
} from './draft.ts'
import { finishDraft } from './finish-draft.ts'

type Node = { readonly [key: string]: unknown }

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One node, or a list of them. */
export function isHardwareList(document: unknown): boolean {
  const first: unknown = Array.isArray(document) ? document[0] : document
  return isNode(first) && typeof first['id'] === 'string' && typeof first['class'] === 'string'
}

export function readHardwareList(document: unknown, name: string): Host | undefined {
  const draft = emptyDraft()
  const open: {
    readonly node: unknown
    readonly owner: DeviceDraft | undefined
    readonly chain: readonly string[]
  }[] = (Array.isArray(document) ? document : [document]).map((node: unknown) => ({
    node,
    owner: undefined,
    chain: [],
  }))
  for (let at = 0; at < open.length && at < 100_000; at++) {
    const { node, owner, chain = [] } = open[at] ?? {}
    if (!isNode(node)) continue
    const device = readFunction(draft, node, owner) ?? owner
    const names = namesOf(node)
    if (owner && device === owner) readAttached(draft, owner, { node, names, chain })
    const children: unknown = node['children']
    const below = device === owner ? [...chain, ...names.slice(0, 1)] : []
    if (Array.isArray(children))
      for (const child of children) open.push({ node: child, owner: device, chain: below.slice(-16) })
  }
  if (draft.devices.size === 0) return undefined
  note(draft, 'lshw states no IOMMU groups', fullListing)
  note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  return finishDraft(draft, 'lshw', name)
}

function textOf(node: Node, key: string): string | undefined {
  const value = node[key]
  return typeof value === 'string' && value !== '' ? value.slice(0, 300) : undefined
}

/** The device name and the mount points, without `/dev/`. */
function namesOf(node: Node): string[] {
  const stated = node['logicalname']
  const names = Array.isArray(stated) ? stated : [stated]
  return names
    .filter((one): one is string => typeof one === 'string')
    .slice(0, 16)
    .map((one) => one.replace(/^\/dev\//, '').slice(0, 200))
}

function readFunction(draft: HostDraft, node: Node, above: DeviceDraft | undefined): DeviceDraft | undefined {
  const address = parseAddress(/^pci@(\S{1,32})$/.exec(textOf(node, 'businfo') ?? '')?.[1] ?? '')
  if (address === undefined) return undefined
  const device = deviceAt(draft, address)
  const description = textOf(node, 'description')
  if (description !== undefined) device.className = description
  const code = description === undefined ? undefined : classFromWords(description)
  if (code !== undefined) stateClass(device, code)
  const [vendor, product] = [withId(textOf(node, 'vendor')), withId(textOf(node, 'product'))]
  if (vendor.id !== undefined) device.vendorId = vendor.id
  if (product.id !== undefined) device.deviceId = product.id
  const name = [vendor.words, product.words].filter(Boolean).join(' ')
  if (name !== '') device.name = name
  const revision = textOf(node, 'version')
  if (revision !== undefined && /^[0-9a-f]{2}$/i.test(revision)) device.revision = revision.toLowerCase()
  const settings = node['configuration']
  const driver = isNode(settings) ? textOf(settings, 'driver') : undefined
  if (driver !== undefined) device.driver = driver.slice(0, 64)
  if (above) device.parent = above.address
  if (node['class'] === 'network') addInterface(device, node)
  return device
}

/** With `-numeric`: `GP107 [10DE:1C82]`, `NVIDIA Corporation [10DE]`. */
function withId(text: string | undefined): { readonly words?: string; readonly id?: string } {
  const match = /^(.*?) ?\[(?:[0-9a-f]{4}:)?([0-9a-f]{4})\]$/i.exec(text ?? '')
  if (match) return { words: match[1] ?? '', id: (match[2] ?? '').toLowerCase() }
  return text === undefined ? {} : { words: text }
}

function addInterface(device: DeviceDraft, node: Node): void {
  const mac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.exec(textOf(node, 'serial') ?? '')?.[0].toLowerCase()
  for (const name of namesOf(node).filter((one) => /^[\w.:@-]{1,32}$/.test(one)))
    device.networkInterfaces = [...(device.networkInterfaces ?? []), { name, ...defined({ mac }) }].slice(
      0,
      64,
    )
}

type Attached = { readonly node: Node; readonly names: readonly string[]; readonly chain: readonly string[] }

function readAttached(draft: HostDraft, owner: DeviceDraft, { node, names, chain }: Attached): void {
  const [first, ...places] = names
  if (first === undefined) return
  if (node['class'] === 'network') addInterface(owner, node)
  if (node['class'] === 'disk') {
    const [model, serial] = [textOf(node, 'product'), textOf(node, 'serial')]
    const disk: Disk = {
      name: first.slice(0, 64),
      ...defined({ model: model?.slice(0, 128), serial: serial?.slice(0, 128) }),
    }
    owner.disks = [...(owner.disks ?? []), disk].slice(0, 1024)
  }
  const settings = node['configuration']
  if (!isNode(settings) || settings['state'] !== 'mounted') return
  for (const mountPoint of places.filter((one) => one.startsWith('/')))
    stateNeed(draft, {
      kind: 'disk',
      what: mountPoint,
      mountPoint,
      chain: [first, ...chain.toReversed()],
      device: owner.address,
      weight: 'vital',
    })
}
