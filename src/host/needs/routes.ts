/** The kernel's routing tables as it lists them in /proc/net: which interface a packet to an address leaves by. */
import { textOf, type Reading } from '../reading.ts'

export type Route = {
  readonly interface: string
  /** Network and mask as bytes, 4 or 16 of them. */
  readonly network: readonly number[]
  readonly prefix: number
  readonly metric: number
}

/** Unicast routes that are up; the loopback interface and reject routes are left out. */
export function readRoutes(reading: Reading): Route[] {
  return [
    ...parseRoutes4(textOf(reading, '/proc/net/route', 16 << 20) ?? ''),
    ...parseRoutes6(textOf(reading, '/proc/net/ipv6_route', 16 << 20) ?? ''),
  ]
}

const flagUp = 0x1
const flagReject = 0x200

/** /proc/net/route: addresses are 32-bit numbers in host order, which prints little-endian on every PC: `0102000A` is 10.0.2.1. */
export function parseRoutes4(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n').slice(1)) {
    const [name, destination = '', , flags = '', , , metric = '', mask = ''] = line.trim().split(/\s+/)
    if (!name || name === 'lo' || !/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) continue
    const bits = Number.parseInt(flags, 16)
    if (!(bits & flagUp) || bits & flagReject) continue
    const network = hexBytes(destination).reverse()
    const prefix = hexBytes(mask).reduce((sum, byte) => sum + onesIn(byte), 0)
    routes.push({ interface: name, network, prefix, metric: Number.parseInt(metric, 10) || 0 })
  }
  return routes
}

/** /proc/net/ipv6_route: destination, prefix length, source, …, metric (6th), flags (9th), interface (10th). */
export function parseRoutes6(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n')) {
    const [destination = '', prefix = '', , , , metric = '', , , flags = '', name] = line.trim().split(/\s+/)
    if (!name || name === 'lo' || !/^[0-9a-f]{32}$/i.test(destination)) continue
    const bits = Number.parseInt(flags, 16)
    if (!(bits & flagUp) || bits & flagReject) continue
    const network = hexBytes(destination)
    // Link-local and multicast routes exist on every interface that is up, and say nothing.
    if (network[0] === 0xfe || network[0] === 0xff) continue
    routes.push({ interface: name, network, prefix: Number.parseInt(prefix, 16), metric: Number.parseInt(metric, 16) })
  }
  return routes
}

export function isDefault(route: Route): boolean {
  return route.prefix === 0
}

/** The interface that carries packets to `address` (longest prefix, then lowest metric). */
export function interfaceTowards(routes: readonly Route[], address: string): string | undefined {
  const target = addressBytes(address)
  if (!target) return undefined
  let best: Route | undefined
  for (const route of routes) {
    if (!isCovered(route, target)) continue
    if (!best || route.prefix > best.prefix || (route.prefix === best.prefix && route.metric < best.metric))
      best = route
  }
  return best?.interface
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
