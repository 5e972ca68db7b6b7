/**
 * Reads all routes of this namespace. The kernel's answer has every table with all next hops. Without it,
 * /proc/net/route has the main table and the first next hop of each route, and /proc/net/fib_trie shows the
 * other tables without their interfaces.
 */
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { addressBytes, parseRoutes4, parseRoutes6, type Route } from './routes.ts'
import { askKernel, rowsIn, textIn, numberIn, type KernelAnswer, type Row } from './rtnetlink.ts'
import { parseFibTrie, type FibTable } from './fib-trie.ts'

export type RouteTables = {
  readonly routes: readonly Route[]
  /** Tables other than main whose interfaces are unknown. */
  readonly otherTables: readonly FibTable[]
  /** The tables to which a rule sends packets. Absent: every table counts as used. */
  readonly usedTables?: ReadonlySet<string>
  /** The parts that could not be read. */
  readonly gaps: readonly { readonly lost: string; readonly why: string }[]
  /** No routes could be read. */
  readonly isUnread: boolean
}

const limit = 16 << 20

export function readRouteTables(reading: Reading): RouteTables {
  const four = askKernel(reading, 'route4')
  const hasSix = isThere(reading, '/proc/net/if_inet6') || isThere(reading, '/proc/net/ipv6_route')
  // If IPv6 is off, the kernel has no IPv6 routes to list.
  const six: KernelAnswer =
    hasSix || reading.system.showNetwork === undefined
      ? askKernel(reading, 'route6')
      : { state: 'known', rows: [] }
  const gaps: { lost: string; why: string }[] = []
  const routes: Route[] = []
  const proc4 = readProc(reading, '/proc/net/route')
  const trie = readProc(reading, '/proc/net/fib_trie')
  if (four.state === 'known') routes.push(...four.rows.flatMap((row) => routesOfRow(row, 4)))
  else {
    routes.push(...parseRoutes4(proc4.text ?? ''))
    if (four.state === 'unreadable') gaps.push({ lost: 'ip -4 route', why: four.why })
    else if (proc4.why !== undefined) gaps.push({ lost: '/proc/net/route', why: proc4.why })
  }
  if (six.state === 'known') routes.push(...six.rows.flatMap((row) => routesOfRow(row, 6)))
  else {
    const proc6 = readProc(reading, '/proc/net/ipv6_route')
    routes.push(...parseRoutes6(proc6.text ?? ''))
    if (six.state === 'unreadable') gaps.push({ lost: 'ip -6 route', why: six.why })
    else if (proc6.why !== undefined && (hasSix || proc6.isThere))
      gaps.push({ lost: '/proc/net/ipv6_route', why: proc6.why })
  }
  const others =
    four.state === 'known' ? [] : parseFibTrie(trie.text ?? '').filter(({ id }) => id !== undefined)
  return {
    routes,
    otherTables: others,
    ...usedTables(reading, four, six),
    gaps,
    isUnread: four.state !== 'known' && proc4.text === undefined,
  }
}

type Proc = { readonly text?: string; readonly why?: string; readonly isThere: boolean }

function readProc(reading: Reading, path: string): Proc {
  const result = reading.system.readText(path, limit)
  if (result.ok) return { text: result.value, isThere: true }
  textOf(reading, path, limit)
  if (result.reason === 'absent') return { why: 'it is not there', isThere: false }
  return { why: `it cannot be read (${result.code ?? result.reason})`, isThere: true }
}

function isThere(reading: Reading, path: string): boolean {
  return reading.system.stat(path).ok
}

/**
 * The routes that send packets to a destination; local, broadcast, multicast and rejecting ones are left out.
 */
export function routesOfRow(row: Row, family: 4 | 6): Route[] {
  const type = textIn(row, 'type')
  if (type !== undefined && type !== 'unicast') return []
  const target = parseTarget(textIn(row, 'dst') ?? '', family)
  if (target === undefined) return []
  if (family === 6 && (target.network[0] === 0xfe || target.network[0] === 0xff)) return []
  const table = textIn(row, 'table') ?? 'main'
  const metric = numberIn(row, 'metric') ?? 0
  const hops = [row, ...rowsIn(row, 'nexthops')]
  return hops.flatMap((hop) => {
    const name = textIn(hop, 'dev')
    if (name === undefined || name === 'lo') return []
    const isDirect = textIn(hop, 'gateway') === undefined && hop['via'] === undefined
    return [{ interface: name, ...target, metric, table, isDirect }]
  })
}

function parseTarget(text: string, family: 4 | 6): Pick<Route, 'network' | 'prefix'> | undefined {
  const bits = family === 4 ? 32 : 128
  if (text === 'default') return { network: Array.from({ length: bits / 8 }, () => 0), prefix: 0 }
  const [address = '', length] = text.split('/')
  const network = addressBytes(address)
  const prefix = length === undefined ? bits : Number.parseInt(length, 10)
  if (network === undefined || network.length * 8 !== bits || !(prefix >= 0 && prefix <= bits))
    return undefined
  return { network, prefix }
}

/**
 * A table without a rule is unused. A rule for VRFs (`l3mdev`) uses the table of any VRF. With such a rule,
 * or if the rules are unknown, every table counts as used.
 */
function usedTables(
  reading: Reading,
  four: KernelAnswer,
  six: KernelAnswer,
): Pick<RouteTables, 'usedTables'> {
  if (four.state !== 'known' || six.state !== 'known') return {}
  const rules: Row[] = []
  for (const question of six.rows.length > 0 ? (['rule4', 'rule6'] as const) : (['rule4'] as const)) {
    const answer = askKernel(reading, question)
    if (answer.state !== 'known') return {}
    rules.push(...answer.rows)
  }
  if (rules.some((rule) => 'l3mdev' in rule || 'goto' in rule) || rules.length === 0) return {}
  return { usedTables: new Set(['main', ...rules.flatMap((rule) => textIn(rule, 'table') ?? [])]) }
}

/** A tree with any file of /proc/net was meant to show the network. */
export function tellsOfNetwork(reading: Reading): boolean {
  return namesIn(reading, '/proc/net').length > 0
}
