/**
 * Reads libvirt's node devices: one or several `virsh nodedev-dumpxml` documents, in sequence or under one
 * element. Elements are found by name below `<device>`; unknown elements are ignored.
 */
import { defined } from '../../base/defined.ts'
import { DOMParser, type Document as XmlDocument, type Element as XmlElement } from '@xmldom/xmldom'
import { formatAddress, parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Host } from '../../host/host.ts'
import { stateGroup, stateWho, warnOfDrivers, type Who } from './contradictions.ts'
import { deviceAt, emptyDraft, fullListing, note, type DeviceDraft, type HostDraft } from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import { parseDevicePath, statePlace } from './places.ts'

/** The parser's tree is many times larger than the text, so the text is limited. */
export const xmlCap = 16 * 1024 * 1024
/** Longer than any node device. A longer element is left out with a note. */
const elementCap = 200_000

export function readNodedev(text: string, name: string): Host | undefined {
  const draft = emptyDraft()
  const owners = new Map<string, PciAddress>()
  const children: XmlElement[] = []
  let unread = 0
  const isWhole = /<device[\s>]/.test(text)
  for (const source of isWhole ? eachDevice(text) : eachFragment(text)) {
    const element = parseElement(source)
    if (!element) unread += 1
    else if (!readDevice(draft, element, { owners, isWhole })) children.push(element)
  }
  for (const element of children) readChild(draft, element, owners)
  if (draft.devices.size === 0) return undefined
  if (unread > 0) note(draft, `${unread} <device> elements cannot be parsed and are left out`)
  if (![...draft.devices.values()].some((d) => typeof d.iommuGroup === 'number'))
    note(draft, 'the node devices state no IOMMU groups', fullListing)
  // A function that is only mentioned (such as a virtual one) may have a group.
  else if (isWhole) for (const address of owners.values()) deviceAt(draft, address).iommuGroup ??= null
  note(draft, 'the input holds no configuration space, so groups cannot be predicted from it', fullListing)
  return finishDraft(draft, 'nodedev', name)
}

/**
 * Yields each `<device>…</device>` separately, so that a broken one does not spoil the others. Yields '' for
 * one that does not end.
 */
function* eachDevice(text: string): Generator<string> {
  let start: number | undefined
  for (const match of text.matchAll(/<device[\s>]|<\/device>/g)) {
    if (match[0] !== '</device>') {
      if (start !== undefined) yield ''
      start = match.index
    } else if (start !== undefined) {
      yield text.slice(start, match.index + 9)
      start = undefined
    }
  }
  if (start !== undefined) yield ''
}

/**
 * Guides quote a dump from its PCI capability on. Each such part is read as a device with these facts only.
 */
function* eachFragment(text: string): Generator<string> {
  const starts = [...text.matchAll(/<capability type=['"]pci['"]>/g)].map(({ index }) => index)
  for (const [at, start] of starts.entries()) {
    const part = text.slice(start, starts[at + 1])
    const end = part.lastIndexOf('</capability>')
    yield end === -1 ? '' : `<device>${part.slice(0, end)}</capability></device>`
  }
}

function parseElement(source: string): XmlElement | undefined {
  if (source === '' || source.length > elementCap || source.includes('<!')) return undefined
  try {
    const document: XmlDocument = new DOMParser({
      onError: (level, message) => {
        if (level !== 'warning') throw new SyntaxError(message)
      },
    }).parseFromString(source, 'text/xml')
    return document.documentElement ?? undefined
  } catch {
    // The caller counts elements that are cut off or broken.
    return undefined
  }
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  for (let node = element.firstChild; node; node = node.nextSibling)
    if (node.nodeName === name) return node as XmlElement
  return undefined
}

function childText(element: XmlElement, name: string): string | undefined {
  const text = child(element, name)?.textContent?.trim()
  return text === undefined || text === '' ? undefined : text.slice(0, 300)
}

function capability(element: XmlElement, type: string): XmlElement | undefined {
  for (let node = element.firstChild; node; node = node.nextSibling)
    if (node.nodeName === 'capability' && (node as XmlElement).getAttribute('type') === type)
      return node as XmlElement
  return undefined
}

type Reading = { readonly owners: Map<string, PciAddress>; readonly isWhole: boolean }

function readDevice(draft: HostDraft, element: XmlElement, { owners, isWhole }: Reading): boolean {
  const pci = capability(element, 'pci')
  const address = pci ? (addressFrom((key) => childText(pci, key)) ?? addressFromName(element)) : undefined
  if (!pci || address === undefined) return false
  const device = stateWho(draft, address, idsOf(pci))
  owners.set(childText(element, 'name') ?? address, address)
  const above = addressFromText(childText(element, 'parent'))
  if (above !== undefined) device.parent = above
  statePlace(draft, childText(element, 'path') ?? '')
  const driver = child(element, 'driver')
  const before = device.driver
  if (isWhole) device.driver = (driver ? childText(driver, 'name') : undefined) ?? null
  if (before !== undefined && before !== device.driver) warnOfDrivers(draft, device, before)
  Object.assign(device, idsOf(pci))
  readFacts(draft, device, pci)
  return true
}

/** Numbers in decimal (`<bus>3</bus>`) or hexadecimal (`bus='0x03'`). */
function addressFrom(get: (key: string) => string | undefined): PciAddress | undefined {
  const parts = ['domain', 'bus', 'slot', 'function'].map((key) => {
    const text = get(key)
    return text !== undefined && /^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined
  })
  const [domain, bus, slot, fn] = parts
  if (domain === undefined || bus === undefined || slot === undefined || fn === undefined) return undefined
  if (domain > 0xffffffff || bus > 0xff || slot > 0x1f || fn > 7) return undefined
  return formatAddress({ domain, bus, slot, function: fn })
}

function addressFromName(element: XmlElement): PciAddress | undefined {
  return addressFromText(childText(element, 'name'))
}

/** `pci_0000_00_1f_2`. */
function addressFromText(text: string | undefined): PciAddress | undefined {
  const match = /^pci_([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])$/i.exec(text ?? '')
  return match ? parseAddress(`${match[1]}:${match[2]}:${match[3]}.${match[4]}`) : undefined
}

function idsOf(pci: XmlElement): Who {
  const id = (name: string) =>
    /^0x([0-9a-f]{4})$/i.exec(child(pci, name)?.getAttribute('id') ?? '')?.[1]?.toLowerCase()
  const [vendor, product] = [id('vendor'), id('product')]
  const code = /^0x([0-9a-f]{6})$/i.exec(childText(pci, 'class') ?? '')?.[1]
  const words = [childText(pci, 'vendor'), childText(pci, 'product')]
    .filter((word) => word !== undefined)
    .join(' ')
  return {
    ...defined({ vendorId: vendor, deviceId: product, classCode: code?.toLowerCase() }),
    ...(words === '' ? {} : { name: words }),
  }
}

function readFacts(draft: HostDraft, device: DeviceDraft, pci: XmlElement): void {
  const node = child(pci, 'numa')?.getAttribute('node')
  if (/^\d{1,5}$/.test(node ?? '')) device.numaNode = Number(node)
  const group = child(pci, 'iommuGroup')
  const number = group?.getAttribute('number')
  if (group && /^\d{1,6}$/.test(number ?? '')) {
    stateGroup(draft, device, Number(number))
    for (const member of [...group.getElementsByTagName('address')].slice(0, 4096)) {
      const address = addressFrom((key) => member.getAttribute(key) ?? undefined)
      if (address !== undefined) stateGroup(draft, deviceAt(draft, address), Number(number))
    }
  }
  if (capability(pci, 'pci-bridge')) device.headerType = 1
  const physical = capability(pci, 'phys_function')
  const physicalAddress = physical ? child(physical, 'address') : undefined
  const physFn = physicalAddress
    ? addressFrom((key) => physicalAddress.getAttribute(key) ?? undefined)
    : undefined
  if (physFn !== undefined) device.physFn = physFn
  const virtual = capability(pci, 'virt_functions')
  if (virtual) readVirtualFunctions(draft, device, virtual)
  readLinks(device, pci)
}

/**
 * The `address` elements are the existing functions in the order of their numbers. Old libvirt prints no
 * `maxCount`.
 */
function readVirtualFunctions(draft: HostDraft, device: DeviceDraft, virtual: XmlElement): void {
  const total = virtual.getAttribute('maxCount') ?? ''
  const listed = [...virtual.getElementsByTagName('address')].slice(0, 4096)
  for (const [number, element] of listed.entries()) {
    const address = addressFrom((key) => element.getAttribute(key) ?? undefined)
    if (address === undefined || address === device.address) continue
    deviceAt(draft, address).physFn = device.address
    draft.vfNumbers.set(address, number)
  }
  const isStated = /^\d{1,5}$/.test(total)
  if (isStated || listed.length > 0)
    device.sriov = { ...(isStated ? { totalVfs: Number(total) } : {}), numVfs: listed.length }
}

/** `<link validity='cap' port='0' speed='8' width='8'/>`, in GT/s. */
function readLinks(device: DeviceDraft, pci: XmlElement): void {
  const express = child(pci, 'pci-express')
  if (!express) return
  for (const link of express.getElementsByTagName('link')) {
    const speed = /^\d{1,3}(?:\.\d)?$/.exec(link.getAttribute('speed') ?? '')?.[0]
    const width = /^\d{1,2}$/.exec(link.getAttribute('width') ?? '')?.[0]
    const words = speed === undefined ? undefined : `${speed.includes('.') ? speed : `${speed}.0`} GT/s`
    const best = link.getAttribute('validity') === 'cap'
    device.link = {
      ...device.link,
      ...(words === undefined ? {} : best ? { maxSpeed: words } : { speed: words }),
      ...(width === undefined ? {} : best ? { maxWidth: Number(width) } : { width: Number(width) }),
    }
  }
}

/** Reads interfaces and disks whose parent is known, or whose path has a known function. */
function readChild(draft: HostDraft, element: XmlElement, owners: ReadonlyMap<string, PciAddress>): void {
  const owner =
    parseDevicePath(childText(element, 'path') ?? '')?.steps.at(-1) ??
    owners.get(childText(element, 'parent') ?? '')
  if (owner === undefined) return
  const device = deviceAt(draft, owner)
  const net = capability(element, 'net')
  const name = net ? childText(net, 'interface') : undefined
  if (net && name !== undefined) {
    const mac = childText(net, 'address')?.toLowerCase()
    device.networkInterfaces = [...(device.networkInterfaces ?? []), { name, ...defined({ mac }) }].slice(
      0,
      64,
    )
  }
  const storage = capability(element, 'storage')
  const block = storage ? childText(storage, 'block') : undefined
  if (!storage || block === undefined) return
  const [model, serial] = [childText(storage, 'model'), childText(storage, 'serial')]
  const size = Number(childText(storage, 'size') ?? Number.NaN)
  const disk = {
    name: block.replace(/^\/dev\//, ''),
    ...defined({ model, serial }),
    ...(Number.isSafeInteger(size) ? { sizeBytes: size } : {}),
  }
  device.disks = [...(device.disks ?? []), disk].slice(0, 1024)
}
