/**
 * The IPv4 addresses this host is reached by: its own addresses on the interfaces of the default routes and of the sessions
 * people sit in. A trial boot must bring them back.
 *
 * /proc/net/fib_trie (net/ipv4/fib_trie.c) is the one list of own addresses that needs no netlink. It names no interface, so an
 * address belongs to the interface whose connected network holds it:
 *
 *            |-- 10.0.2.15
 *               /32 host LOCAL
 */
import { textOf, type Reading } from '../reading.ts'
import { addressBytes, interfaceTowards, isCovered, isDefault, readRoutes } from './routes.ts'
import { readSessions } from './sessions.ts'

export function readOwnAddresses(reading: Reading): string[] {
  const routes = readRoutes(reading)
  const names = new Set(routes.filter(isDefault).map((route) => route.interface))
  for (const { client } of readSessions(reading)) {
    const name = interfaceTowards(routes, client)
    if (name !== undefined) names.add(name)
  }
  const networks = routes.filter((route) => names.has(route.interface) && !isDefault(route))
  const own = parseLocalAddresses(textOf(reading, '/proc/net/fib_trie', 16 << 20) ?? '')
  return own.filter((address) => {
    const bytes = addressBytes(address)
    return bytes !== undefined && networks.some((route) => isCovered(route, bytes))
  })
}

/** Local IPv4 addresses but loopback's, each once, in the order of the table. */
export function parseLocalAddresses(fibTrie: string): string[] {
  const found = new Set<string>()
  let leaf: string | undefined
  for (const line of fibTrie.split('\n')) {
    leaf = /^\s*\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line)?.[1] ?? leaf
    if (leaf !== undefined && !leaf.startsWith('127.') && /^\s*\/32 host LOCAL\s*$/.test(line)) found.add(leaf)
  }
  return [...found]
}
