/**
 * Finds the PCI function behind a device node that a program has open. A running kernel gives the node's
 * number (/sys/dev/char). A tree has only its name, which is searched in the classes of sysfs.
 */
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'

export type NodeFinder = (path: string, number: string | undefined) => readonly PciAddress[]

/** Block devices are followed in block-stack.ts instead. */
export function nodeFinder(reading: Reading): NodeFinder {
  let classes: ReadonlyMap<string, readonly string[]> | undefined
  let usb: ReadonlyMap<string, string> | undefined
  const known = new Map<string, readonly PciAddress[]>()
  const find = (path: string, number: string | undefined): readonly PciAddress[] => {
    const nvidia = /^\/dev\/nvidia(\d+)$/.exec(path)?.[1]
    if (nvidia !== undefined) return nvidiaOwners(reading, nvidia)
    const link = number?.startsWith('char ') ? linkOf(reading, `/sys/dev/char/${number.slice(5)}`) : undefined
    if (link !== undefined) return ownersOf([link])
    const relative = path.slice('/dev/'.length)
    if (relative.startsWith('bus/usb/'))
      return ownersOf([(usb ??= usbDevices(reading)).get(relative.slice(8)) ?? ''])
    classes ??= classEntries(reading)
    return ownersOf(linksOfName(reading, classes, relative))
  }
  return (path, number) => {
    const key = `${number ?? ''} ${path}`
    const before = known.get(key)
    if (before !== undefined) return before
    const found = find(path, number)
    known.set(key, found)
    return found
  }
}

function ownersOf(links: readonly string[]): PciAddress[] {
  return [...new Set(links.flatMap((link) => ownerOf(link) ?? []))]
}

/** The nodes of NVIDIA's driver are not in sysfs. Their number is the `Device Minor` of the function. */
function nvidiaOwners(reading: Reading, minor: string): PciAddress[] {
  const folder = '/proc/driver/nvidia/gpus'
  const stated = namesIn(reading, folder).map((name) => ({
    address: parseAddress(name),
    minor: /^Device Minor:\s*(\d+)/m.exec(textOf(reading, `${folder}/${name}/information`) ?? '')?.[1],
  }))
  const same = stated.filter((one) => one.minor === minor)
  // If the driver does not report it, the node may belong to any of its functions.
  return (same.length > 0 ? same : stated).flatMap(({ address }) => address ?? [])
}

/** `003/002` → the device's link: bus and number on it, as in /dev/bus/usb. */
function usbDevices(reading: Reading): Map<string, string> {
  const found = new Map<string, string>()
  const folder = '/sys/bus/usb/devices'
  for (const name of namesIn(reading, folder)) {
    const bus = textOf(reading, `${folder}/${name}/busnum`)
    const number = bus === undefined ? undefined : textOf(reading, `${folder}/${name}/devnum`)
    const link = linkOf(reading, `${folder}/${name}`)
    if (bus === undefined || number === undefined || link === undefined) continue
    found.set(`${bus.padStart(3, '0')}/${number.padStart(3, '0')}`, link)
  }
  return found
}

/** Classes without nodes, and `block`, which is followed elsewhere. */
const apart = new Set([
  'net',
  'block',
  'pci_bus',
  'scsi_host',
  'scsi_disk',
  'scsi_device',
  'pci_epc',
  'dma',
  'bdi',
])

/** Functions with devices that a program could open. */
export function functionsWithNodes(reading: Reading): Set<PciAddress> {
  const folders = namesIn(reading, '/sys/class').filter((name) => name === 'block' || !apart.has(name))
  const found = new Set<PciAddress>()
  for (const folder of [...folders.map((name) => `/sys/class/${name}`), '/sys/bus/usb/devices']) {
    for (const name of namesIn(reading, folder)) {
      // A root hub and its interface are parts of the controller.
      const owner = /^(?:usb\d+|\d+-0:1\.0)$/.test(name)
        ? undefined
        : ownerOf(linkOf(reading, `${folder}/${name}`))
      if (owner !== undefined) found.add(owner)
    }
  }
  return found
}

/** Name → its entries in the class folders; `card1` is in both `drm` and `sound`. */
function classEntries(reading: Reading): Map<string, string[]> {
  const entries = new Map<string, string[]>()
  const folders = namesIn(reading, '/sys/class').filter((name) => !apart.has(name))
  for (const folder of [...folders.map((name) => `/sys/class/${name}`), '/sys/bus/media/devices']) {
    for (const name of namesIn(reading, folder)) {
      const list = entries.get(name)
      if (list) list.push(`${folder}/${name}`)
      else entries.set(name, [`${folder}/${name}`])
    }
  }
  return entries
}

/** Folders below /dev whose nodes are of one class. */
const classOfFolder: Readonly<Record<string, string>> = {
  dri: 'drm',
  snd: 'sound',
  input: 'input',
  usb: 'usbmisc',
}

function linksOfName(
  reading: Reading,
  classes: ReadonlyMap<string, readonly string[]>,
  relative: string,
): string[] {
  const slash = relative.lastIndexOf('/')
  const folder = relative.slice(0, Math.max(0, slash))
  // dvb_register_device in drivers/media/dvb-core/dvbdev.c: adapter0/frontend0 is dvb0.frontend0.
  const dvb = /^dvb\/adapter(\d+)\/(\w+)$/.exec(relative)
  const name = dvb
    ? `dvb${dvb[1]}.${dvb[2]}`
    : relative === 'watchdog'
      ? 'watchdog0'
      : relative.slice(slash + 1)
  const wanted = classOfFolder[folder]
  return (classes.get(name) ?? []).flatMap((path) => {
    const stated = /^DEVNAME=(.+)$/m.exec(textOf(reading, `${path}/uevent`) ?? '')?.[1]
    if (stated !== undefined && stated !== relative && name === relative.slice(slash + 1)) return []
    if (stated === undefined && wanted !== undefined && path.split('/').at(-2) !== wanted) return []
    return linkOf(reading, path) ?? []
  })
}
