/** Decides whether a configuration file brings a port up. Each format has a function. */
import { matchesPattern, namesPort, wordsOf, type Port } from './port-words.ts'

/** Formats in which the name of the port is enough: netplan, netctl, dhcpcd, pppd's peers. */
export function namedByWords(text: string, port: Port): boolean {
  const words = wordsOf(text)
  return namesPort(words, port) || matchesDriver(text, port)
}

/** netplan: `match: { driver: ixgbe }`. */
function matchesDriver(text: string, { driver }: Port): boolean {
  if (driver === undefined) return false
  return [...text.matchAll(/\bdriver:\s*(.+)$/gm)].some((match) =>
    wordsOf(match[1] ?? '').some((word) => word !== '' && matchesPattern(word, driver)),
  )
}

type Section = ReadonlyMap<string, readonly string[]>

/** Sections such as `[Match]`, with lines such as `Name=en*`. A key may occur several times. */
function sectionsOf(text: string): Map<string, Map<string, string[]>> {
  const sections = new Map<string, Map<string, string[]>>()
  let current = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const heading = /^\s*\[([^\]]+)\]\s*$/.exec(line)?.[1]?.toLowerCase()
    if (heading !== undefined) {
      current = sections.get(heading) ?? new Map<string, string[]>()
      sections.set(heading, current)
      continue
    }
    const match = /^\s*([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line)
    const key = match?.[1]?.toLowerCase()
    if (key !== undefined) current.set(key, [...(current.get(key) ?? []), match?.[2] ?? ''])
  }
  return sections
}

/** systemd.network(5): all conditions of `[Match]` must hold. An unknown condition counts as holding. */
export function namedByNetworkd(text: string, port: Port): boolean {
  const sections = sectionsOf(text)
  const match = sections.get('match') ?? new Map<string, string[]>()
  const link = sections.get('link') ?? new Map<string, string[]>()
  if (/^(?:yes|true|on|1)$/i.test(link.get('unmanaged')?.at(-1) ?? '')) return false
  // A match on the kind never matches hardware; systemd's files for its containers have one.
  if (match.size === 0 || match.has('kind') || match.has('ssid') || match.has('wlaninterfacetype'))
    return false
  return (
    holds(match, 'name', port.name) &&
    holdsMac(match, port) &&
    holdsDriver(match, port) &&
    holdsType(match, port)
  )
}

function valuesOf(section: Section, key: string): readonly string[] {
  return (section.get(key) ?? []).flatMap((value) => value.split(/\s+/).filter((word) => word !== ''))
}

function holds(section: Section, key: string, value: string): boolean {
  const patterns = valuesOf(section, key)
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!'))
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), value)))
    return false
  return wanted.length === 0 || wanted.some((pattern) => matchesPattern(pattern, value))
}

function holdsMac(section: Section, { macs = [] }: Port): boolean {
  const wanted = [...valuesOf(section, 'macaddress'), ...valuesOf(section, 'permanentmacaddress')]
  return (
    wanted.length === 0 || wanted.some((mac) => macs.includes(mac.toLowerCase().replaceAll(/[-.]/g, ':')))
  )
}

function holdsDriver(section: Section, { driver }: Port): boolean {
  return driver === undefined || holds(section, 'driver', driver)
}

function holdsType(section: Section, { isWireless }: Port): boolean {
  return holds(section, 'type', isWireless === true ? 'wlan' : 'ether')
}

/** nm-settings-keyfile(5). A connection without an interface or a MAC is for any port of its type. */
export function namedByKeyfile(text: string, port: Port): boolean {
  const sections = sectionsOf(text)
  const connection = sections.get('connection') ?? new Map<string, string[]>()
  const type = connection.get('type')?.at(-1) ?? ''
  const words = [...sections.values()].flatMap((section) => [...section.values()].flat().flatMap(wordsOf))
  if (namesPort(words, port)) return true
  const own = sections.get('ethernet') ?? sections.get('802-3-ethernet') ?? sections.get('wifi')
  const isBound = connection.has('interface-name') || own?.has('mac-address') || sections.has('match')
  if (isBound || /^(?:no|false|0)$/i.test(connection.get('autoconnect')?.at(-1) ?? '')) return false
  if (/^(?:802-3-)?ethernet$|^pppoe$/.test(type)) return port.isWireless !== true
  return /^(?:wifi|802-11-wireless)$/.test(type) && port.isWireless === true
}

/** The name of the file or a HWADDR line names the port. With `ONBOOT=no` nothing brings it up. */
export function namedByIfcfg(text: string, port: Port, path: string): boolean {
  const value = (key: string): string => new RegExp(`^\\s*${key}=["']?([^"'\\s]*)`, 'm').exec(text)?.[1] ?? ''
  if (/^no$/i.test(value('ONBOOT')) || /^(?:off|manual)$/i.test(value('STARTMODE'))) return false
  const named = path.slice(path.lastIndexOf('ifcfg-') + 'ifcfg-'.length)
  return namesPort([named, ...wordsOf(text)], port)
}
