/**
 * A machine with network ports, made of interfaces, addresses, routes and connections, and written as sysfs,
 * /proc/net and the kernel's own answers tell of them.
 */
import type { PciAddress } from '../../../src/pci/address.ts'
import { pci } from '../sysfs-tree.ts'
import { at } from '../host-builder.ts'

export type Iface = {
  readonly name: string
  readonly kind: string
  readonly index: number
  readonly lower: readonly Iface[]
  /** Functions that carry it. */
  readonly carriers: ReadonlySet<PciAddress>
  readonly depth: number
  readonly owner?: PciAddress
  readonly place?: string
  readonly isUp: boolean
  readonly remote?: string
  readonly addresses: string[]
  readonly table?: string
}

export type Route = {
  readonly dst: string
  readonly dev: Iface
  readonly gateway?: string
  readonly table?: string
  /** More next hops of the same route: /proc/net/route does not show them. */
  readonly more?: readonly { readonly dev: Iface; readonly gateway: string }[]
}

export type Connection = {
  readonly local: string
  readonly port: number
  readonly remote: string
  readonly socket?: number
}

/** What can be taken away: one fact that leads from the need to the functions. */
export type Link = { readonly kind: string; readonly paths: readonly string[]; readonly instead?: string }

/** ARPHRD numbers, and the DEVTYPE that sysfs states, by kind. */
const hardware: Readonly<Record<string, number>> = { ppp: 512, wireguard: 65_534, gre: 778, loopback: 772 }
const stated = new Set(['bridge', 'bond', 'vlan', 'vxlan', 'wireguard'])
/** Kinds whose lower interface has them as its master. */
const masters = new Set(['bridge', 'bond', 'team', 'vrf', 'openvswitch datapath'])

export class NetworkWorld {
  readonly interfaces: Iface[] = []
  readonly routes: Route[] = []
  readonly rules: { priority: number; table: string }[] = []
  readonly connections: Connection[] = []
  readonly links: Link[] = []
  readonly files = new Map<string, string>()
  readonly hasRecord: boolean
  private cards = 0

  constructor(hasRecord: boolean) {
    this.hasRecord = hasRecord
    this.interfaces.push({ ...this.blank('lo', 'loopback'), isUp: true })
  }

  private blank(name: string, kind: string): Omit<Iface, 'isUp'> {
    const index = this.interfaces.length + 1
    return { name, kind, index, lower: [], carriers: new Set(), depth: 0, addresses: [] }
  }

  /** A card with one port. */
  port(isUp = true): Iface {
    const number = (this.cards += 1)
    const bus = (number + 1).toString(16).padStart(2, '0')
    const owner = at(`${bus}:00.0`)
    const place = `pci0000:00/0000:00:1c.${number - 1}/${owner}`
    const one: Iface = { ...this.blank(`port${number}`, ''), owner, place, isUp, carriers: new Set([owner]) }
    this.interfaces.push(one)
    for (const [path, text] of Object.entries(pci({ at: place, driver: 'igb', group: 10 + number })))
      this.files.set(path, String(text))
    return one
  }

  over(name: string, kind: string, lower: readonly Iface[], more: Partial<Iface> = {}): Iface {
    const carriers = new Set(lower.flatMap((one) => [...one.carriers]))
    const depth = 1 + Math.max(0, ...lower.map((one) => one.depth))
    const one: Iface = { ...this.blank(name, kind), lower, carriers, depth, isUp: true, ...more }
    this.interfaces.push(one)
    return one
  }

  address(dev: Iface, address: string): void {
    dev.addresses.push(address)
  }

  link(kind: string, paths: readonly string[], instead?: string): void {
    this.links.push({ kind, paths, ...(instead === undefined ? {} : { instead }) })
  }

  write(): Map<string, string> {
    for (const one of this.interfaces) this.writeInterface(one)
    this.writeTables()
    if (this.hasRecord) this.writeRecord()
    return this.files
  }

  private folderOf(one: Iface): string {
    return one.place === undefined
      ? `/sys/devices/virtual/net/${one.name}`
      : `/sys/devices/${one.place}/net/${one.name}`
  }

  private writeInterface(one: Iface): void {
    const folder = this.folderOf(one)
    const put = (name: string, text: string) => this.files.set(`${folder}/${name}`, text)
    this.files.set(`/sys/class/net/${one.name}`, `-> ../..${folder.slice('/sys'.length)}`)
    if (one.owner !== undefined) this.link('class link', [`/sys/class/net/${one.name}`])
    put('uevent', `${stated.has(one.kind) ? `DEVTYPE=${one.kind}\n` : ''}INTERFACE=${one.name}\n`)
    put('flags', one.isUp ? '0x1003\n' : '0x1002\n')
    put('type', `${hardware[one.kind] ?? 1}\n`)
    put('ifindex', `${one.index}\n`)
    put('iflink', `${one.index}\n`)
    put('addr_assign_type', '0\n')
    put('address', `02:00:00:00:00:${one.index.toString(16).padStart(2, '0')}\n`)
    if (one.isUp) put('carrier', '1\n')
    if (one.kind === 'bridge') put('bridge/stp_state', '0\n')
    if (one.kind === 'bond') put('bonding/mode', 'active-backup 1\n')
    if (one.carriers.size > 0 && one.kind !== '')
      this.link(`folder of ${one.remote === undefined ? one.kind : 'a known tunnel'}`, [folder])
    for (const below of one.lower) this.writeRelation(one, below)
  }

  private writeRelation(upper: Iface, below: Iface): void {
    // Tunnels and sessions have no link to what carries them.
    if (['ppp', 'wireguard', 'vxlan', 'gre', 'openvswitch'].includes(upper.kind)) return
    const up = this.folderOf(upper)
    const down = this.folderOf(below)
    const path = (from: string, to: string) =>
      `-> ${'../'.repeat(from.split('/').length - 2)}${to.slice('/sys/'.length)}`
    this.files.set(`${up}/lower_${below.name}`, path(up, down))
    this.files.set(`${down}/upper_${upper.name}`, path(down, up))
    this.link(`lower of ${upper.kind}`, [`${up}/lower_${below.name}`])
    this.link('upper', [`${down}/upper_${upper.name}`])
    if (masters.has(upper.kind)) {
      this.files.set(`${down}/master`, path(down, up))
      this.link('master', [`${down}/master`])
    }
    const both = [`${up}/lower_${below.name}`, `${down}/upper_${upper.name}`]
    // A bridge without a port, and a switch without one, are whole; so is a bond with a leg less.
    if (!masters.has(upper.kind)) this.link(`both links of ${upper.kind}`, both)
  }

  private writeTables(): void {
    const rows = this.routes.filter(({ table, dst }) => table === undefined && !dst.includes(':'))
    const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
    this.files.set('/proc/net/route', head + rows.map(routeLine).join(''))
    this.files.set(
      '/proc/net/ipv6_route',
      this.routes
        .filter(({ dst }) => dst.includes(':'))
        .map(routeLine6)
        .join(''),
    )
    this.files.set('/proc/net/fib_trie', this.fibTrie())
    const six = this.interfaces.flatMap((one) =>
      one.addresses
        .filter((text) => text.includes(':'))
        .map((text) => `${hex6(text)} 02 40 20 80 ${one.name}\n`),
    )
    this.files.set('/proc/net/if_inet6', six.join(''))
    const ppp = this.interfaces.filter(({ kind }) => kind === 'ppp')
    const sessions = ppp.map(({ lower: [below] }) => `0000000A 02:00:5e:00:00:01 ${below?.name ?? ''}\n`)
    if (ppp.length > 0)
      this.files.set('/proc/net/pppoe', `Id       Address              Device\n${sessions.join('')}`)
    for (const six of [false, true]) {
      const lines = this.connections.filter(({ local }) => local.includes(':') === six).map(connectionLine)
      this.files.set(
        `/proc/net/tcp${six ? '6' : ''}`,
        `  sl  local_address rem_address st\n${lines.join('')}`,
      )
    }
  }

  private fibTrie(): string {
    const tables = new Map<string, string[]>([['Main', []]])
    const put = (table: string, text: string) => tables.set(table, [...(tables.get(table) ?? []), text])
    for (const { table, dst } of this.routes)
      if (dst === 'default')
        put(table === undefined ? 'Main' : `Id ${table}`, '  |-- 0.0.0.0\n     /0 universe UNICAST\n')
    for (const one of this.interfaces)
      for (const address of one.addresses.filter((text) => !text.includes(':')))
        put(one.table === undefined ? 'Main' : `Id ${one.table}`, `  |-- ${address}\n     /32 host LOCAL\n`)
    return [...tables].map(([name, lines]) => `${name}:\n${lines.join('')}`).join('')
  }

  private writeRecord(): void {
    const put = (name: string, rows: readonly unknown[]) =>
      this.files.set(`/proc/net/rtnetlink/${name}.json`, JSON.stringify(rows))
    put(
      'address',
      this.interfaces.map((one) => this.addressRow(one)),
    )
    const row = ({ dst, dev, gateway, table, more = [] }: Route) => ({
      dst,
      ...(more.length === 0 ? { dev: dev.name, gateway } : {}),
      table,
      nexthops:
        more.length === 0
          ? undefined
          : [{ dev: dev.name, gateway }, ...more.map((hop) => ({ ...hop, dev: hop.dev.name }))],
    })
    const isSix = ({ dst }: Route) => dst.includes(':')
    put('route4', this.routes.filter((one) => !isSix(one)).map(row))
    put(
      'route6',
      this.routes
        .filter(isSix)
        .map((one) => ({ ...row(one), dst: one.dst === '::/0' ? 'default' : one.dst })),
    )
    const common = ['local', 'main'].map((table, at) => ({ priority: at * 32_766, table }))
    put('rule4', [...common, ...this.rules])
    put('rule6', common)
  }

  private addressRow(one: Iface): unknown {
    const above = this.interfaces.find(({ kind, lower }) => masters.has(kind) && lower.includes(one))
    const [below] = one.lower
    const info_kind = one.kind === 'openvswitch datapath' ? 'openvswitch' : one.kind
    const info_data = { remote: one.remote, table: one.kind === 'vrf' ? Number(one.table) : undefined }
    return {
      ifindex: one.index,
      ifname: one.name,
      link: one.kind === 'vlan' || one.kind === 'macvlan' ? below?.name : undefined,
      master: above?.name,
      flags: one.isUp ? ['UP'] : [],
      linkinfo: ['', 'loopback'].includes(one.kind) ? undefined : { info_kind, info_data },
      addr_info: one.addresses.map((local) => ({ local })),
    }
  }
}

const turned = (address: string) =>
  address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0').toUpperCase())
    .toReversed()
    .join('')

function routeLine({ dst, dev, gateway }: Route): string {
  const [network = '', length = '0'] = dst === 'default' ? ['0.0.0.0', '0'] : dst.split('/')
  const ones = '1'.repeat(Number(length)).padEnd(32, '0')
  const mask = [0, 8, 16, 24].map((at) => Number.parseInt(ones.slice(at, at + 8), 2)).join('.')
  const flags = gateway === undefined ? '0001' : '0003'
  return `${dev.name}\t${turned(network)}\t${turned(gateway ?? '0.0.0.0')}\t${flags}\t0\t0\t0\t${turned(mask)}\t0\t0\t0\n`
}

/** Addresses of these machines are written in full: eight words. */
function hex6(address: string): string {
  return address
    .split(':')
    .map((word) => word.padStart(4, '0'))
    .join('')
}

const none6 = '0'.repeat(32)

function routeLine6({ dst, dev, gateway }: Route): string {
  const [network = '', length = '0'] = dst.split('/')
  const to = network === '::' ? none6 : hex6(network)
  const flags = gateway === undefined ? '00000001' : '00000003'
  const size = Number(length).toString(16).padStart(2, '0')
  return `${to} ${size} ${none6} 00 ${none6} 00000400 00000001 00000000 ${flags} ${dev.name}\n`
}

function connectionLine({ local, port, remote, socket }: Connection, at: number): string {
  const hex = (address: string) =>
    address.includes(':')
      ? (hex6(address).match(/.{8}/g) ?? [])
          .map((word) => (word.match(/../g) ?? []).toReversed().join(''))
          .join('')
          .toUpperCase()
      : turned(address)
  const tail = `00000000:00000000 00:00000000 00000000 0 0 ${socket ?? 0} 1`
  return `   ${at}: ${hex(local)}:${port.toString(16).padStart(4, '0').toUpperCase()} ${hex(remote)}:C350 01 ${tail}\n`
}
