/**
 * Finds the ports that the host's configuration brings up, even if they carry nothing now: ifupdown, netplan,
 * systemd-networkd, NetworkManager, the ifcfg files of Red Hat and SUSE, and some smaller ones. A port counts
 * as configured if a file names it by name, pattern or MAC.
 */
import type { PciDevice } from '../../../pci/device.ts'
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { namedByIfupdown } from './ifupdown.ts'
import { matchesPattern, type Port } from './port-words.ts'
import { namedByIfcfg, namedByKeyfile, namedByNetworkd, namedByWords } from './configuration-files.ts'

export type Configured = {
  /** The file that brings the interface up. */
  readonly by: (name: string) => string | undefined
  /** Files that could not be read, so the ports that they bring up are unknown. */
  readonly gaps: readonly { readonly lost: string; readonly why: string }[]
}

type Reader = (text: string, port: Port, path: string) => boolean

/** Folders with the pattern of their file names, and single files. */
const folders: readonly (readonly [folder: string, name: RegExp, reader: Reader])[] = [
  ['/etc/netplan', /\.yaml$/, namedByWords],
  ['/run/netplan', /\.yaml$/, namedByWords],
  ['/lib/netplan', /\.yaml$/, namedByWords],
  ['/etc/systemd/network', /\.network$/, namedByNetworkd],
  ['/run/systemd/network', /\.network$/, namedByNetworkd],
  ['/usr/lib/systemd/network', /\.network$/, namedByNetworkd],
  ['/usr/local/lib/systemd/network', /\.network$/, namedByNetworkd],
  ['/etc/NetworkManager/system-connections', /^[^.]/, namedByKeyfile],
  ['/run/NetworkManager/system-connections', /^[^.]/, namedByKeyfile],
  ['/usr/lib/NetworkManager/system-connections', /^[^.]/, namedByKeyfile],
  ['/etc/sysconfig/network-scripts', /^ifcfg-/, namedByIfcfg],
  ['/etc/sysconfig/network', /^ifcfg-/, namedByIfcfg],
  ['/etc/netctl', /^[^.]/, namedByWords],
  ['/etc/ppp/peers', /^[^.]/, namedByWords],
  ['/etc/hostapd', /\.conf$/, namedByWords],
]
const files: readonly (readonly [path: string, reader: Reader])[] = [
  ['/etc/dhcpcd.conf', namedByWords],
  ['/etc/conf.d/net', namedByWords],
  ['/boot/config/network.cfg', namedByWords],
  ['/etc/config/network', namedByWords],
  ['/etc/pppoe.conf', namedByWords],
  ['/etc/ppp/pppoe.conf', namedByWords],
]

const fileLimit = 2048

const remembered = new WeakMap<Reading, Configured>()

export function readConfigured(reading: Reading, devices: readonly PciDevice[]): Configured {
  const configured = remembered.get(reading) ?? findConfigured(reading, devices)
  remembered.set(reading, configured)
  return configured
}

function findConfigured(reading: Reading, devices: readonly PciDevice[]): Configured {
  const gaps: { lost: string; why: string }[] = []
  const texts: { path: string; text: string; reader: Reader }[] = []
  const take = (path: string, reader: Reader): void => {
    const result = reading.system.readText(path, 1 << 20)
    if (result.ok) texts.push({ path, text: result.value, reader })
    else if (result.reason === 'unreadable' || result.reason === 'too-large') {
      textOf(reading, path, 1 << 20)
      gaps.push({ lost: path, why: `it cannot be read (${result.code ?? result.reason})` })
    }
  }
  for (const [folder, pattern, reader] of folders) {
    const listed = reading.system.list(folder)
    if (!listed.ok && listed.reason === 'unreadable') {
      namesIn(reading, folder)
      gaps.push({ lost: folder, why: `it cannot be read (${listed.code ?? 'error'})` })
    }
    const names = listed.ok ? listed.value.filter((name) => pattern.test(name)) : []
    if (names.length > fileLimit)
      gaps.push({ lost: folder, why: `only its first ${fileLimit} entries are read` })
    for (const name of names.slice(0, fileLimit)) take(`${folder}/${name}`, reader)
  }
  for (const [path, reader] of files) take(path, reader)
  for (const path of ifupdownFiles(reading)) take(path, namedByIfupdown)
  const ports = portsOf(devices)
  const known = new Map<string, string | undefined>()
  const by = (name: string): string | undefined => {
    if (known.has(name)) return known.get(name)
    const port = ports.get(name) ?? { name }
    const file = texts.find(({ text, path, reader }) => reader(text, port, path))?.path
    known.set(name, file)
    return file
  }
  return { by, gaps }
}

function portsOf(devices: readonly PciDevice[]): Map<string, Port> {
  const ports = new Map<string, Port>()
  for (const { networkInterfaces, driver, classCode } of devices)
    for (const { name, mac, permanentMac } of networkInterfaces ?? []) {
      const macs = [mac, permanentMac].flatMap((one) => one ?? [])
      const isWireless = classCode?.startsWith('0280') === true || name.startsWith('wl')
      ports.set(name, { name, macs, isWireless, ...(driver ? { driver } : {}) })
    }
  return ports
}

/**
 * Follows `source` and `source-directory` lines to more files (interfaces(5)). Only the last part of a path
 * may be a pattern.
 */
function ifupdownFiles(reading: Reading): string[] {
  const found = new Set<string>()
  const pending = ['/etc/network/interfaces']
  for (let path = pending.pop(); path !== undefined && found.size < fileLimit; path = pending.pop()) {
    if (found.has(path)) continue
    found.add(path)
    const text = reading.system.readText(path, 1 << 20)
    for (const line of text.ok ? text.value.split('\n') : []) {
      const match = /^\s*(source|source-directory)\s+(\S+)/.exec(line)
      if (match) pending.push(...expanded(reading, match[1] === 'source', match[2] ?? '', path))
    }
  }
  // ifupdown2 and many images read this folder even without such a line.
  for (const name of namesIn(reading, '/etc/network/interfaces.d'))
    found.add(`/etc/network/interfaces.d/${name}`)
  return [...found]
}

function expanded(reading: Reading, isPattern: boolean, target: string, from: string): string[] {
  const path = target.startsWith('/') ? target : `${from.slice(0, from.lastIndexOf('/'))}/${target}`
  if (!isPattern) return namesIn(reading, path).map((name) => `${path}/${name}`)
  if (!/[*?[]/.test(path)) return [path]
  const slash = path.lastIndexOf('/')
  const pattern = path.slice(slash + 1)
  return namesIn(reading, path.slice(0, slash)).flatMap((name) =>
    matchesPattern(pattern, name) ? [`${path.slice(0, slash)}/${name}`] : [],
  )
}
