/**
 * Reads routes and addresses beside a listing: `ip route`, `ip address`, `route -n`, /etc/network/interfaces.
 * Also reads lines that show the function of an interface. A name such as `enp5s0f1` contains bus, slot and
 * function in decimal (systemd.net-naming-scheme(7)).
 */
import { formatAddress, parseAddress, type PciAddress } from '../../pci/address.ts'
import type { DeviceDraft, HostDraft } from './draft.ts'
import type { LineForm, Listing, PastedNetwork } from './listing-state.ts'
import { standsOn, statePasted, type PastedNeed, type Stack } from './pasted-ends.ts'
import { parseDevicePath } from './places.ts'

const name = String.raw`([\w.@:-]{1,32})`
const readers: readonly ((network: PastedNetwork, line: string) => boolean)[] = [
  readRoute,
  readLink,
  readConfigured,
  readTie,
]

export const readNetworkLine: LineForm = ({ network, shell }, line) => {
  if (line.length > 600) return undefined
  const text = line.replace(/^[>\s]{0,20}>\s/, '')
  readEthtool(network, text, shell.typed)
  for (const read of readers) if (read(network, text)) return 'beside'
  return undefined
}

function add(network: PastedNetwork, need: PastedNeed): void {
  if (network.needs.size < 256) network.needs.set(`${need.what} ${need.name}`, need)
}

function addDefault(network: PastedNetwork, over: string): void {
  add(network, {
    kind: 'network',
    what: 'default route',
    isDefaultRoute: true,
    weight: 'vital',
    name: plain(over),
  })
}

/** Adds an address. If the name does not look like a port, the interface may be virtual. */
function addAddress(network: PastedNetwork, on: string, address: string): void {
  const at = plain(on)
  if (at === 'lo') return
  const mayBeVirtual = !/^(?:e(?:n|th)|wl|ww)\w/.test(at)
  add(network, { kind: 'network', what: `address ${address}`, weight: 'spoken-for', name: at, mayBeVirtual })
}

/** The name of an interface: `eno1.20` for `eno1.20@eno1`. */
function plain(text: string): string {
  return text.replace(/@.*$/, '').replace(/:$/, '')
}

const defaultRoute = new RegExp(String.raw`^\s{0,20}default\b.{0,300}?\bdev ${name}`)
const nextHop = new RegExp(String.raw`^\s{1,20}nexthop .{0,200}?\bdev ${name}`)
const linkRoute = new RegExp(
  String.raw`^\s{0,20}[0-9a-f.:]{3,45}/\d{1,3} dev ${name} proto kernel .{0,100}?\bsrc ([0-9a-f.:]{3,45})`,
)
const tableRoute = new RegExp(
  String.raw`^\s{0,20}(?:0\.0\.0\.0|default)\s{1,40}[\w.:-]{1,64}\s{1,40}0\.0\.0\.0\s{1,40}UG?\w{0,4}\s{1,40}[\d\s]{1,80}\s${name}\s*$`,
)

function readRoute(network: PastedNetwork, line: string): boolean {
  const over =
    defaultRoute.exec(line)?.[1] ??
    (network.inRoute ? nextHop.exec(line)?.[1] : undefined) ??
    tableRoute.exec(line)?.[1]
  const isOpen =
    /^\s{0,20}default\b/.test(line) && /\b(?:proto|metric|via|scope)\b|^\s*default\s*$/.test(line)
  network.inRoute = isOpen || (network.inRoute && over !== undefined)
  if (over !== undefined) addDefault(network, over)
  const [, on, address] = linkRoute.exec(line) ?? []
  if (on !== undefined && address !== undefined) addAddress(network, on, address)
  return over !== undefined || on !== undefined
}

const link = new RegExp(
  String.raw`^\s{0,20}\d{1,5}: ([\w.-]{1,32})(?:@([\w.-]{1,32}))?: <([A-Z_,0-9-]{0,200})>(.{0,300})$`,
)

function readLink(network: PastedNetwork, line: string): boolean {
  const [, own, on, , rest = ''] = link.exec(line) ?? []
  if (own !== undefined) {
    network.current = own
    if (on !== undefined && !/^(?:NONE|if\d{1,6})$/.test(on)) standsOn(network.stack, own, on)
    const master = / master ([\w.-]{1,32})/.exec(rest)?.[1]
    if (master !== undefined) standsOn(network.stack, master, own)
    return true
  }
  const { current } = network
  if (current === undefined) return false
  const address = /^\s{1,20}inet6? ([0-9a-f.:]{3,45})\/\d{1,3} .{0,200}\bscope global\b/.exec(line)?.[1]
  if (address !== undefined) addAddress(network, current, address)
  const other = /^\s{1,20}altname ([\w.-]{1,128})\s*$/.exec(line)?.[1]
  if (other !== undefined)
    network.altNames.set(current, [...(network.altNames.get(current) ?? []), other].slice(0, 16))
  return address !== undefined || other !== undefined
}

/** Reads ifupdown's file and the output of `brctl show`. */
function readConfigured(network: PastedNetwork, line: string): boolean {
  const block = /^\s{0,20}iface ([\w.:-]{1,32}) inet6? (\w{1,20})/.exec(line)
  if (block) {
    network.current = plain(block[1] ?? '')
    if (block[2] === 'dhcp') addAddress(network, network.current, 'by DHCP')
    return true
  }
  const bridge = /^([\w.-]{1,32})\s{1,40}8000\.[0-9a-f]{12}\s{1,40}(?:yes|no)\s{1,40}([\w.-]{1,32})\s*$/.exec(
    line,
  )
  if (bridge) standsOn(network.stack, bridge[1] ?? '', bridge[2] ?? '')
  const [, key = '', value = ''] = /^\s{0,20}([a-z_-]{4,20})\s{1,20}(\S.{0,300})$/.exec(line) ?? []
  const { current } = network
  if (current === undefined || bridge) return bridge !== null
  switch (key.replaceAll('_', '-')) {
    case 'bridge-ports':
    case 'bond-slaves':
    case 'slaves':
    case 'vlan-raw-device':
      for (const one of value.trim().split(/\s+/).slice(0, 64))
        if (/^[\w.-]{1,32}$/.test(one) && one !== 'none') standsOn(network.stack, current, one)
      return true
    case 'address':
      if (/^[0-9a-f.:]{3,45}(?:\/\d{1,3})?$/.test(value.trim()))
        addAddress(network, current, value.trim().replace(/\/.*$/, ''))
      return true
    case 'gateway':
      addDefault(network, current)
      return true
    default:
      return false
  }
}

const renamed = new RegExp(
  String.raw`\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ([\w.-]{1,32}): renamed from \w`,
  'i',
)

/** Reads lines that show the function of an interface: a path of sysfs, the kernel's log, `lshw -businfo`. */
function readTie(network: PastedNetwork, line: string): boolean {
  const below = line.includes('/net/')
    ? /\/net\/([\w.-]{1,32})(?:\/?\s*$|\/)/.exec(line.slice(line.indexOf('pci')))?.[1]
    : undefined
  const owner = below === undefined ? undefined : parseDevicePath(line)?.steps.at(-1)
  if (below !== undefined && owner !== undefined) tie(network, below, owner)
  const [, from, to] = renamed.exec(line) ?? []
  if (from !== undefined && to !== undefined) tie(network, to, parseAddress(from))
  const [, where, port] = /^pci@([0-9a-f:.]{12,17})\s{1,20}([\w.-]{1,32})\s{1,20}network\b/.exec(line) ?? []
  if (where !== undefined && port !== undefined) tie(network, port, parseAddress(where))
  return to !== undefined || port !== undefined
}

/** Reads the output of `ethtool -i eno1`; the interface is in the command. */
function readEthtool(network: PastedNetwork, line: string, typed: string | undefined): void {
  const asked = /\bethtool (?:-i|--driver) ([\w.-]{1,32})\s*$/.exec(typed ?? '')?.[1]
  const where = asked === undefined ? undefined : /^\s{0,20}bus-info: (\S{1,32})\s*$/.exec(line)?.[1]
  if (asked !== undefined && where !== undefined) tie(network, asked, parseAddress(where))
}

function tie({ ties }: PastedNetwork, port: string, address: PciAddress | undefined): void {
  if (address !== undefined && (ties.has(port) || ties.size < 4096)) ties.set(port, address)
}

export function concludeNetwork({ draft, network }: Listing): void {
  for (const [port, address] of network.ties) nameInterface(draft, port, address)
  const byName = new Map<string, PciAddress>()
  for (const { address, networkInterfaces } of draft.devices.values())
    for (const one of networkInterfaces ?? []) byName.set(one.name, address)
  const functionOf = (port: string) =>
    byName.get(port) ??
    [port, ...(network.altNames.get(port) ?? [])].map((one) => placedBy(draft, one)).find(Boolean)
  for (const need of network.needs.values())
    statePasted(draft, need, { stack: withVlans(network, need.name), functionOf, couldBe })
}

/** Adds `eno1` below `eno1.20`, even if no line shows it. */
function withVlans({ stack }: PastedNetwork, start: string): Stack {
  for (const one of [start, ...stack.keys(), ...[...stack.values()].flatMap((set) => [...set])]) {
    const base = /^([\w-]{1,31})\.\d{1,4}$/.exec(one)?.[1]
    if (base !== undefined && !stack.has(one)) standsOn(stack, one, base)
  }
  return stack
}

function nameInterface(draft: HostDraft, port: string, address: PciAddress): void {
  const device = draft.devices.get(address)
  if (!device || device.networkInterfaces?.some((one) => one.name === port)) return
  device.networkInterfaces = [...(device.networkInterfaces ?? []), { name: port }].slice(0, 64)
}

/** The function in a name of bus, slot and function, if the listing has a network function there. */
function placedBy(draft: HostDraft, port: string): PciAddress | undefined {
  const parts = /^(?:en|wl|ww)(?:P(\d{1,5}))?p(\d{1,3})s(\d{1,2})(?:f(\d))?(?:np?\d{1,3}|d\d{1,3})?$/.exec(
    port,
  )
  if (!parts) return undefined
  const [domain, bus, slot, fn] = parts.slice(1).map((part) => Number(part ?? 0))
  if (domain === undefined || bus === undefined || slot === undefined || fn === undefined) return undefined
  if (bus > 255 || slot > 31 || fn > 7) return undefined
  const device = draft.devices.get(formatAddress({ domain, bus, slot, function: fn }))
  return device && couldBe(port, device) && device.driver?.startsWith('vfio') !== true
    ? device.address
    : undefined
}

function couldBe(port: string, { classCode }: DeviceDraft): boolean {
  // A USB port is attached to a USB controller, and a tunnel may run over either kind.
  const isUsb = !/^(?:eno|ens|enp|wlp)\d/.test(port) && classCode?.startsWith('0c03') === true
  return classCode === undefined || classCode.startsWith('02') || isUsb
}
