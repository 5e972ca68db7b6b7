/** What single configuration files say of a port: does this one bring it up? One function for each form. */
import { matchesPattern, namesPort, wordsOf, type Port } from './port-words.ts'

/** Forms whose words are enough: netplan, netctl, dhcpcd, pppd's peers. */
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

/** `[Match]` and below it `Name=en*`; a key may come more than once. */
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

/** systemd.network(5): all conditions of `[Match]` must hold; one that is not known here is taken to hold. */
export function namedByNetworkd(text: string, port: Port): boolean {
  const sections = sectionsOf(text)
  const match = sections.get('match') ?? new Map<string, string[]>()
  const link = sections.get('link') ?? new Map<string, string[]>()
  if (/^(?:yes|true|on|1)$/i.test(link.get('unmanaged')?.at(-1) ?? '')) return false
  // Hardware has no kind; the files that come with systemd for its containers name one.
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

/** nm-settings-keyfile(5). Without an interface or a MAC it is for any port of its kind. */
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

/** The name of the file names the port, or a HWADDR line in it. With `ONBOOT=no` nothing brings it up. */
export function namedByIfcfg(text: string, port: Port, path: string): boolean {
  const value = (key: string): string => new RegExp(`^\\s*${key}=["']?([^"'\\s]*)`, 'm').exec(text)?.[1] ?? ''
  if (/^no$/i.test(value('ONBOOT')) || /^(?:off|manual)$/i.test(value('STARTMODE'))) return false
  const named = path.slice(path.lastIndexOf('ifcfg-') + 'ifcfg-'.length)
  return namesPort([named, ...wordsOf(text)], port)
}
