/**
 * Routing as the real iproute2 tells of it, in a network namespace of its own: two next hops, a rule with its
 * table, a VRF, IPv6. Needs root, `unshare` and `ip`; the machine's own network is not touched.
 */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { interfacesTowards } from '../../../src/host/needs/network/routes.ts'
import {
  defaultRoutes,
  interfacesWith,
  networkFacts,
  type NetworkFacts,
} from '../../../src/host/needs/network/facts.ts'
import { recordPath } from '../../../src/host/needs/network/rtnetlink.ts'
import { startReading } from '../../../src/host/read/reading.ts'
import type { NetworkQuestion } from '../../../src/machine/system.ts'
import { addToTree, emptyTree, treeReader } from '../../../src/sources/tree.ts'

const ask: Readonly<Record<NetworkQuestion, string>> = {
  address: 'ip -json -details address show',
  route4: 'ip -json -4 route show table all',
  route6: 'ip -json -6 route show table all',
  rule4: 'ip -json -4 rule show',
  rule6: 'ip -json -6 rule show',
}

/**
 * Runs the lines in a new network namespace and gives back what the kernel answers there, and what /proc/net
 * says.
 */
function inNamespace(lines: readonly string[]): {
  readonly text: string
  readonly facts: () => NetworkFacts
} {
  const tell = [
    ...Object.entries(ask).map(
      ([question, command]) => `echo "== ${recordPath(question as NetworkQuestion)}"; ${command}`,
    ),
    'echo; for file in route fib_trie if_inet6 ipv6_route; do echo "== /proc/net/$file"; cat /proc/net/$file; done',
  ]
  const script = ['set -e', 'ip link set lo up', ...lines, ...tell].join('\n')
  const done = spawnSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8', timeout: 60_000 })
  if (done.status !== 0) throw new Error(done.stderr)
  return { text: done.stdout, facts: () => factsOf(done.stdout) }
}

function factsOf(text: string): NetworkFacts {
  const tree = emptyTree()
  for (const part of text.split(/^== /m).slice(1)) {
    const end = part.indexOf('\n')
    addToTree(tree, part.slice(0, end), {
      kind: 'file',
      bytes: new TextEncoder().encode(part.slice(end + 1).trim()),
    })
  }
  return networkFacts(startReading(treeReader(tree)))
}

/** A pair of interfaces stands for a port with its cable in. */
const port = (name: string): string[] => [
  `ip link add ${name} type veth peer name ${name}x`,
  `ip link set ${name} up`,
  `ip link set ${name}x up`,
]

function whyNot(...lines: readonly string[]): string | undefined {
  const done = spawnSync('unshare', ['-n', 'sh', '-ec', ['ip -json rule', ...lines].join('\n')], {
    encoding: 'utf8',
  })
  if (done.error) return `there is no unshare (${done.error.message})`
  return done.status === 0
    ? undefined
    : done.stderr.trim().split('\n')[0] || `unshare ended with ${String(done.status)}`
}

const missing = whyNot(...port('p0'))
const noVrf = missing ?? whyNot('ip link add v0 type vrf table 1001')
const names = (facts: NetworkFacts): string[] =>
  defaultRoutes(facts).map((route) => `${route.table}: ${route.interface}`)

describe('the network as the real ip tells of it', () => {
  // In CI the setup installs iproute2, and whatever is missing is an error.
  describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(missing ?? 'in a namespace', () => {
    it('has every next hop of a default route, of which /proc/net shows the first', () => {
      const { facts, text } = inNamespace([
        ...port('p0'),
        ...port('p1'),
        'ip addr add 10.9.0.2/24 dev p0',
        'ip addr add 10.9.1.2/24 dev p1',
        'ip route add default nexthop via 10.9.0.1 dev p0 nexthop via 10.9.1.1 dev p1',
      ])
      expect(names(facts())).toEqual(['main: p0', 'main: p1'])
      const files = text.slice(text.indexOf('== /proc/net/route'))
      expect(names(factsOf(files))).toEqual(['main: p0'])
    })

    it('loses a route of two next hops as a whole when the device of one goes away', () => {
      const { facts } = inNamespace([
        ...port('p0'),
        ...port('p1'),
        'ip addr add 10.9.0.2/24 dev p0',
        'ip addr add 10.9.1.2/24 dev p1',
        'ip route add default nexthop via 10.9.0.1 dev p0 nexthop via 10.9.1.1 dev p1',
        'ip link del p1',
      ])
      expect(names(facts())).toEqual([])
    })

    it('has the table of a rule, and knows a table that no rule uses', () => {
      const { facts } = inNamespace([
        ...port('p0'),
        'ip addr add 10.9.0.2/24 dev p0',
        'ip route add default via 10.9.0.1 dev p0 table 100',
        'ip route add default via 10.9.0.1 dev p0 table 101',
        'ip rule add from 10.9.0.2 table 100',
      ])
      expect(names(facts())).toEqual(['100: p0'])
      expect(facts().tables.usedTables).toEqual(new Set(['main', 'local', 'default', '100']))
    })

    it('has the routes and addresses of IPv6, with several next hops', () => {
      const { facts } = inNamespace([
        ...port('p0'),
        ...port('p1'),
        'ip -6 addr add 2001:db8:9::2/64 dev p0 nodad',
        'ip -6 route add default via 2001:db8:9::1 dev p0',
        'ip -6 route add 2001:db8:a::/64 nexthop via 2001:db8:9::3 dev p0 nexthop via fe80::5 dev p1',
      ])
      expect(names(facts())).toEqual(['main: p0'])
      expect(interfacesWith(facts(), '2001:db8:9:0:0:0:0:2')).toEqual(['p0'])
      expect(interfacesTowards(facts().tables.routes, '2001:db8:a::77')).toEqual(['p0', 'p1'])
    })

    it('knows what a tunnel and a port over another are, and where the tunnel goes', () => {
      const { facts } = inNamespace([
        ...port('p0'),
        'ip link add vx type vxlan id 5 remote 10.9.0.9 dstport 4789',
        'ip link add br0 type bridge',
        'ip link set p0 master br0',
      ])
      const { byName } = facts().interfaces
      expect(byName.get('vx')).toMatchObject({ kind: 'vxlan', remote: '10.9.0.9', isUp: false })
      expect(byName.get('br0')).toMatchObject({ kind: 'bridge', lower: ['p0'] })
      expect(byName.get('p0')).toMatchObject({ kind: 'veth', master: 'br0', isUp: true })
    })
  })

  it.skipIf(noVrf !== undefined)(`has the routes and addresses of a VRF (${noVrf ?? 'made here'})`, () => {
    const { facts } = inNamespace([
      ...port('p0'),
      'ip link add v0 type vrf table 1001',
      'ip link set v0 up',
      'ip link set p0 master v0',
      'ip addr add 10.9.0.2/24 dev p0',
      'ip route add default via 10.9.0.1 dev p0 table 1001',
    ])
    expect(names(facts())).toEqual(['1001: p0'])
    expect(facts().interfaces.byName.get('v0')).toMatchObject({ kind: 'vrf', table: '1001', lower: ['p0'] })
    expect(facts().tables.usedTables).toBeUndefined()
  })
})
