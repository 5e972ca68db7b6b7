/**
 * Finds the host's own addresses and their interfaces. The kernel's answer lists both. Without it,
 * /proc/net/if_inet6 lists those of IPv6 (net/ipv6/addrconf.c), and an IPv4 address in /proc/net/fib_trie
 * belongs to the interface whose directly connected network holds it.
 */
import { defined } from '../../../base/defined.ts'
import { textOf, type Reading } from '../../read/reading.ts'
import { addressBytes, isCovered } from './routes.ts'
import { parseFibTrie } from './fib-trie.ts'
import type { Interfaces } from './interfaces.ts'
import type { RouteTables } from './route-tables.ts'
import { rowsIn, textIn, type KernelAnswer } from './rtnetlink.ts'

export type OwnAddress = {
  readonly bytes: readonly number[]
  /** Valid on its own link only: `fe80::…`, which every interface has that is up. */
  readonly isLinkLocal: boolean
  /** Empty: unknown. Several: it is on one of them. */
  readonly interfaces: readonly string[]
  /** The routing table of the VRF to which the address belongs. */
  readonly table?: string
}

export type OwnAddresses = {
  readonly list: readonly OwnAddress[]
  /** Sources that could not be read, so an interface may have an address that is not listed. */
  readonly gaps: readonly { readonly lost: string; readonly why: string }[]
}

export function readOwnAddresses(
  reading: Reading,
  answer: KernelAnswer,
  around: { readonly tables: RouteTables; readonly interfaces: Interfaces },
): OwnAddresses {
  if (answer.state === 'known') {
    const list = answer.rows.flatMap((row) => {
      const name = textIn(row, 'ifname')
      if (name === undefined) return []
      return rowsIn(row, 'addr_info').flatMap((entry) => ownAddress(textIn(entry, 'local'), [name]))
    })
    return { list, gaps: [] }
  }
  const gaps: { lost: string; why: string }[] = []
  if (answer.state === 'unreadable') gaps.push({ lost: 'ip address', why: answer.why })
  return { list: [...addresses4(reading, around), ...addresses6(reading, gaps)], gaps }
}

function ownAddress(text: string | undefined, interfaces: readonly string[]): OwnAddress[] {
  const bytes = text === undefined ? undefined : addressBytes(text)
  return bytes === undefined || isLoopback(bytes)
    ? []
    : [{ bytes, isLinkLocal: isLinkLocal(bytes), interfaces }]
}

function addresses4(
  reading: Reading,
  { tables, interfaces }: { readonly tables: RouteTables; readonly interfaces: Interfaces },
): OwnAddress[] {
  const found = new Map<string, OwnAddress>()
  for (const { id, local } of parseFibTrie(textOf(reading, '/proc/net/fib_trie', 16 << 20) ?? '')) {
    for (const text of local) {
      const bytes = addressBytes(text)
      if (bytes === undefined || found.has(text)) continue
      const names = id === undefined ? connectedInterfaces(tables, bytes) : vrfMembers(interfaces)
      found.set(text, {
        bytes,
        isLinkLocal: isLinkLocal(bytes),
        interfaces: names,
        ...defined({ table: id }),
      })
    }
  }
  return [...found.values()]
}

/** The interfaces of the directly connected network with the longest prefix; several may share it. */
export function connectedInterfaces(
  { routes }: Pick<RouteTables, 'routes'>,
  bytes: readonly number[],
): string[] {
  const near = routes.filter(
    (route) => route.isDirect === true && route.prefix > 3 && isCovered(route, bytes),
  )
  const longest = Math.max(...near.map(({ prefix }) => prefix))
  return [...new Set(near.flatMap((route) => (route.prefix === longest ? [route.interface] : [])))]
}

/**
 * Own addresses in a separate table belong to a VRF. A VRF is a master that is neither bridge, bond nor
 * switch.
 */
function vrfMembers({ byName }: Interfaces): string[] {
  const masters = new Set([...byName.values()].flatMap(({ master }) => master ?? []))
  return [...masters].filter((name) => {
    const kind = byName.get(name)?.kind
    return kind === undefined || kind === 'vrf'
  })
}

/** `fe80000000000000505400fffeaa0001 02 40 20 80 eth0`: address, index, prefix length, scope, flags, name. */
function addresses6(reading: Reading, gaps: { lost: string; why: string }[]): OwnAddress[] {
  const path = '/proc/net/if_inet6'
  const result = reading.system.readText(path, 16 << 20)
  if (!result.ok) {
    textOf(reading, path, 16 << 20)
    if (result.reason !== 'absent')
      gaps.push({ lost: path, why: `it cannot be read (${result.code ?? result.reason})` })
    return []
  }
  return result.value.split('\n').flatMap((line) => {
    const [hex = '', , , , , name] = line.trim().split(/\s+/)
    if (name === undefined || !/^[0-9a-f]{32}$/i.test(hex)) return []
    return ownAddress((hex.match(/.{4}/g) ?? []).join(':'), [name])
  })
}

function isLoopback(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return bytes[0] === 127
  return bytes.every((byte, at) => byte === (at === 15 ? 1 : 0))
}

/**
 * fe80::/10. An IPv4 address of 169.254.0.0/16 is set on purpose or for lack of DHCP, so it counts as an
 * address.
 */
function isLinkLocal(bytes: readonly number[]): boolean {
  return bytes.length === 16 ? bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80 : false
}
