/** Parses routes from /proc/net, and finds the interfaces that a packet to an address may use. */

export type Route = {
  readonly interface: string
  /** Network and mask as bytes, 4 or 16 of them. */
  readonly network: readonly number[]
  readonly prefix: number
  readonly metric: number
  /**
   * The name or number of the table. /proc/net/route holds `main` only; /proc/net/ipv6_route names no table.
   */
  readonly table?: string
  /** No gateway: the network is that of the interface itself. */
  readonly isDirect?: boolean
}

const flagUp = 0x1
const flagGateway = 0x2
const flagReject = 0x200

/**
 * /proc/net/route: addresses are 32-bit numbers in host order, which prints little-endian on every PC:
 * `0102000A` is 10.0.2.1.
 */
export function parseRoutes4(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n').slice(1)) {
    const [name, destination = '', , flags = '', , , metric = '', mask = ''] = line.trim().split(/\s+/)
    if (!name || name === 'lo' || !/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask))
      continue
    const bits = Number.parseInt(flags, 16)
    if (!(bits & flagUp) || bits & flagReject) continue
    const network = hexBytes(destination).reverse()
    const prefix = hexBytes(mask).reduce((sum, byte) => sum + onesIn(byte), 0)
    const isDirect = !(bits & flagGateway)
    routes.push({
      interface: name,
      network,
      prefix,
      metric: Number.parseInt(metric, 10) || 0,
      table: 'main',
      isDirect,
    })
  }
  return routes
}

/**
 * /proc/net/ipv6_route: destination, prefix length, source, …, metric (6th), flags (9th), interface (10th).
 */
export function parseRoutes6(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n')) {
    const [destination = '', prefix = '', , , , metric = '', , , flags = '', name] = line.trim().split(/\s+/)
    if (!name || name === 'lo' || !/^[0-9a-f]{32}$/i.test(destination)) continue
    const bits = Number.parseInt(flags, 16)
    if (!(bits & flagUp) || bits & flagReject) continue
    const network = hexBytes(destination)
    // Every interface that is up has link-local and multicast routes, so they show no use.
    if (network[0] === 0xfe || network[0] === 0xff) continue
    routes.push({
      interface: name,
      network,
      prefix: Number.parseInt(prefix, 16),
      metric: Number.parseInt(metric, 16),
      isDirect: !(bits & flagGateway),
    })
  }
  return routes
}

export function isDefault(route: Route): boolean {
  return route.prefix === 0
}

/**
 * A prefix of at most three bits is a part of a default route: OpenVPN's 0.0.0.0/1 and 128.0.0.0/1, 2000::/3.
 * No real network is that large.
 */
export function isNearDefault(route: Route): boolean {
  return route.prefix <= 3
}

/**
 * The interfaces that may carry packets to `address`: in each table the route with the longest prefix, then
 * the lowest metric, with all its next hops.
 */
export function interfacesTowards(routes: readonly Route[], address: string): string[] {
  const target = addressBytes(address)
  if (!target) return []
  const best = new Map<string, Route[]>()
  for (const route of routes) {
    if (!isCovered(route, target)) continue
    const table = route.table ?? ''
    const [known] = best.get(table) ?? []
    const order = known === undefined ? -1 : known.prefix - route.prefix || route.metric - known.metric
    if (order < 0) best.set(table, [route])
    else if (order === 0) best.get(table)?.push(route)
  }
  return [...new Set([...best.values()].flat().map((route) => route.interface))]
}

/** True when the address (as bytes) lies in the route's network. */
export function isCovered(route: Route, target: readonly number[]): boolean {
  if (route.network.length !== target.length) return false
  for (let bit = 0; bit < route.prefix; bit++) {
    const mask = 0x80 >> (bit % 8)
    if (((route.network[bit >> 3] ?? 0) & mask) !== ((target[bit >> 3] ?? 0) & mask)) return false
  }
  return true
}

/** `192.0.2.7`, `2001:db8::1`, `::ffff:192.0.2.7` as bytes (the last one as IPv4). */
export function addressBytes(text: string): number[] | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1]
  const four = (mapped ?? text).split('.').map(Number)
  if (four.length === 4 && four.every((n) => Number.isInteger(n) && n >= 0 && n <= 255)) return four
  const [head = '', tail, extra] = (text.split('%')[0] ?? '').split('::')
  if (extra !== undefined || !text.includes(':')) return undefined
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = 8 - left.length - right.length
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined
  const words = [...left, ...Array.from({ length: missing }, () => '0'), ...right]
  if (!words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined
  return words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff])
}

function hexBytes(text: string): number[] {
  return [...text.matchAll(/../g)].map(([pair]) => Number.parseInt(pair, 16))
}

function onesIn(byte: number): number {
  let ones = 0
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1
  return ones
}
