/**
 * Reads the network interfaces of this namespace from sysfs, and from the kernel's answer if there is one:
 * lower interfaces, kind and state. follow.ts follows them.
 */
import { defined } from '../../../base/defined.ts'
import type { PciAddress } from '../../../pci/address.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkName, linkOf, textOf, type Reading } from '../../read/reading.ts'
import { numberIn, rowIn, textIn, wordsIn, type KernelAnswer, type Row } from './rtnetlink.ts'

export const netFolder = '/sys/class/net'

export type NetInterface = {
  readonly name: string
  readonly owner?: PciAddress
  /**
   * The interface exists only in the kernel. Without an owner and not virtual: hardware on another bus than
   * PCI.
   */
  readonly isVirtual: boolean
  /** Absent: unknown. */
  readonly isUp?: boolean
  readonly hasCarrier?: boolean
  /**
   * The kind in rtnetlink's words (`info_kind`): `bridge`, `bond`, `vlan`, `vrf`, `vxlan`, `wireguard`,
   * `tun`, `ppp`.
   */
  readonly kind?: string
  /** ARPHRD number of include/uapi/linux/if_arp.h. */
  readonly hardware?: number
  readonly lower: readonly string[]
  readonly upper: readonly string[]
  readonly master?: string
  /**
   * The interface's own number. `linkIndex` is the number of the other end of a pair (veth) or of the lower
   * interface.
   */
  readonly index?: number
  readonly linkIndex?: number
  /** The other end is in another network namespace. */
  readonly leadsAway?: boolean
  /** The addresses of the two ends of a tunnel. */
  readonly remote?: string
  readonly local?: string
  /** The routing table of a VRF. */
  readonly table?: string
  /** The state that the bond reports for this leg. */
  readonly legState?: string
  /** Numbers of /dev/tapN nodes. */
  readonly taps: readonly string[]
  /** The reason why the lower interfaces could not be listed. */
  readonly gap?: string
}

const most = 16_384

export type Interfaces = {
  readonly byName: ReadonlyMap<string, NetInterface>
  /** The reason why the list may be incomplete. */
  readonly gap?: string
}

export function readInterfaces(reading: Reading, answer: KernelAnswer): Interfaces {
  const rows = new Map<string, Row>()
  for (const row of answer.state === 'known' ? answer.rows : []) {
    const name = textIn(row, 'ifname')
    if (name !== undefined) rows.set(name, row)
  }
  const listed = reading.system.list(netFolder)
  const byName = new Map<string, NetInterface>()
  for (const name of listed.ok ? listed.value.slice(0, most) : []) {
    // `bonding_masters` is a file beside the interfaces.
    const link = linkOf(reading, `${netFolder}/${name}`)
    if (link === undefined && !reading.system.stat(`${netFolder}/${name}/ifindex`).ok) continue
    byName.set(name, withKernelWords(fromSysfs(reading, name, link, rows.get(name)), rows.get(name)))
  }
  for (const [name, row] of rows)
    if (!byName.has(name)) byName.set(name, withKernelWords({ name, isVirtual: true, ...nothingAround }, row))
  const gap = listed.ok
    ? listed.value.length > most
      ? `only the first ${most} entries of ${netFolder} are read`
      : undefined
    : listed.reason === 'absent'
      ? `${netFolder} is not there`
      : `${netFolder} cannot be read (${listed.code ?? 'error'})`
  return { byName: joinLinks(byName), ...defined({ gap }) }
}

const nothingAround = { lower: [], upper: [], taps: [] }

function fromSysfs(
  reading: Reading,
  name: string,
  link: string | undefined,
  row: Row | undefined,
): NetInterface {
  const folder = `${netFolder}/${name}`
  const listed = reading.system.list(folder)
  const entries = listed.ok ? listed.value : []
  const after = (prefix: string): string[] =>
    entries.flatMap((entry) => (entry.startsWith(prefix) ? [entry.slice(prefix.length)] : []))
  const owner = ownerOf(link)
  const master = entries.includes('master') ? linkName(reading, `${folder}/master`) : undefined
  const flags = row === undefined ? flagsOf(reading, folder) : {}
  const carrier = textOf(reading, `${folder}/carrier`)
  const legState = entries.includes('bonding_slave')
    ? textOf(reading, `${folder}/bonding_slave/mii_status`)
    : undefined
  return {
    name,
    ...defined({ owner }),
    isVirtual: owner === undefined && (link === undefined || link.includes('/virtual/')),
    ...flags,
    ...(carrier === '0' || carrier === '1' ? { hasCarrier: carrier === '1' } : {}),
    ...(owner === undefined ? kindFromSysfs(reading, folder, entries) : {}),
    lower: after('lower_'),
    upper: after('upper_'),
    ...defined({ master, legState }),
    taps: entries.flatMap((entry) => /^tap(\d+)$/.exec(entry)?.[1] ?? []),
    // Every namespace has its loopback under this name, with nothing below it (drivers/net/loopback.c).
    ...(listed.ok || name === 'lo'
      ? {}
      : { gap: `${folder} cannot be read (${listed.code ?? listed.reason})` }),
  }
}

/** IFF_UP is bit 0 of the flags (include/uapi/linux/if.h). */
function flagsOf(reading: Reading, folder: string): { isUp?: boolean } {
  const flags = Number.parseInt(textOf(reading, `${folder}/flags`) ?? '', 16)
  return Number.isNaN(flags) ? {} : { isUp: (flags & 1) === 1 }
}

type Sorted = Pick<NetInterface, 'kind' | 'hardware' | 'index' | 'linkIndex'>

function kindFromSysfs(reading: Reading, folder: string, entries: readonly string[]): Sorted {
  const read = (name: string): number => Number.parseInt(textOf(reading, `${folder}/${name}`) ?? '', 10)
  const [hardware, index, linkIndex] = [read('type'), read('ifindex'), read('iflink')]
  const stated = /^DEVTYPE=(\w+)$/m.exec(textOf(reading, `${folder}/uevent`) ?? '')?.[1]
  const flags = Number.parseInt(textOf(reading, `${folder}/flags`) ?? '', 16)
  const kind = stated ?? kindFromEntries(entries) ?? kindFromHardware(hardware, flags)
  return {
    ...defined({ kind }),
    ...(Number.isNaN(hardware) ? {} : { hardware }),
    ...(Number.isNaN(index) ? {} : { index }),
    ...(Number.isNaN(linkIndex) ? {} : { linkIndex }),
  }
}

function kindFromEntries(entries: readonly string[]): string | undefined {
  if (entries.includes('bridge')) return 'bridge'
  if (entries.includes('bonding')) return 'bond'
  return entries.includes('tun_flags') ? 'tun' : undefined
}

const hardwareKinds: Readonly<Record<number, string>> = {
  512: 'ppp',
  768: 'ipip',
  769: 'ip6tnl',
  772: 'loopback',
  776: 'sit',
  778: 'gre',
  823: 'ip6gre',
}

/**
 * Among virtual Ethernet interfaces (type 1), only `dummy` and `ifb` have no ARP without being a master
 * (drivers/net/dummy.c, ifb.c): IFF_NOARP is 0x80, IFF_MASTER 0x400. Type 0xfffe is a tunnel without
 * Ethernet: WireGuard, tun.
 */
function kindFromHardware(hardware: number, flags: number): string | undefined {
  if (hardware === 1 && (flags & 0x480) === 0x80) return 'dummy'
  if (hardware === 65_534) return 'tunnel'
  return hardwareKinds[hardware]
}

function withKernelWords(one: NetInterface, row: Row | undefined): NetInterface {
  if (row === undefined) return one
  const details = rowIn(row, 'linkinfo')
  const own = rowIn(details, 'info_data')
  const leg = rowIn(details, 'info_slave_data')
  const kind = textIn(details, 'info_kind') ?? one.kind
  const remote = textIn(own, 'remote') ?? textIn(own, 'remote6') ?? textIn(own, 'group')
  const below = [textIn(row, 'link'), textIn(own, 'link')].flatMap((name) => name ?? [])
  const local = textIn(own, 'local') ?? textIn(own, 'local6')
  const master = textIn(row, 'master') ?? one.master
  const table = own?.['table']
  const legState = textIn(details, 'info_slave_kind') === 'bond' ? textIn(leg, 'mii_status') : undefined
  const index = numberIn(row, 'ifindex')
  const linkIndex = numberIn(row, 'link_index')
  return {
    ...one,
    isUp: wordsIn(row, 'flags').includes('UP'),
    ...defined({ kind, master }),
    ...(remote === undefined || /^(?:any|::|0\.0\.0\.0)$/.test(remote) ? {} : { remote }),
    ...(local === undefined || /^(?:any|::|0\.0\.0\.0)$/.test(local) ? {} : { local }),
    ...(typeof table === 'number' || typeof table === 'string' ? { table: String(table) } : {}),
    ...defined({ legState, index, linkIndex }),
    ...(row['link_netnsid'] === undefined || row['link_netnsid'] === null ? {} : { leadsAway: true }),
    lower: kind === 'veth' || one.owner !== undefined ? one.lower : [...new Set([...one.lower, ...below])],
  }
}

/** Both ends of a link list each other; an archive may hold only one of the lists. */
function joinLinks(byName: Map<string, NetInterface>): Map<string, NetInterface> {
  const lower = new Map<string, Set<string>>()
  const upper = new Map<string, Set<string>>()
  const put = (map: Map<string, Set<string>>, key: string, value: string): void => {
    const set = map.get(key)
    if (set) set.add(value)
    else map.set(key, new Set([value]))
  }
  for (const one of byName.values()) {
    const above = one.master === undefined ? one.upper : [...one.upper, one.master]
    for (const name of above) put(lower, name, one.name)
    for (const name of above) put(upper, one.name, name)
    for (const name of one.lower) put(upper, name, one.name)
  }
  for (const [name, one] of byName) {
    const below = lower.get(name)
    const above = upper.get(name)
    if (!below && !above) continue
    byName.set(name, {
      ...one,
      lower: [...new Set([...one.lower, ...(below ?? [])])],
      upper: [...(above ?? [])],
    })
  }
  return byName
}
