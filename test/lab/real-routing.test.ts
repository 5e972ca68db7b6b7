/**
 * A VRF as the real ip tells of it on a real kernel: few kernels have one built in, so this is asked where a
 * network namespace of this machine may not do (test/unit/host/network-namespace.test.ts).
 */
import { describe, expect, it } from 'vitest'
import { defaultRoutes, interfacesWith, networkFacts } from '../../src/host/needs/network/facts.ts'
import { recordPath } from '../../src/host/needs/network/rtnetlink.ts'
import { startReading } from '../../src/host/read/reading.ts'
import { addToTree, emptyTree, treeReader } from '../../src/sources/tree.ts'
import { askRealKernel } from '../support/real-kernel.ts'
import { lacks } from '../support/tools.ts'

const isLacking = lacks('qemu-system-x86_64', 'busybox', 'ip')

describe.skipIf(isLacking)('the real ip on a real kernel', () => {
  // A shell of busybox takes its own ip for a bare name.
  const routing = `
/bin/ip link set lo up
/bin/ip link add port0 type dummy; /bin/ip link set port0 up
/bin/ip link add blue type vrf table 1001; /bin/ip link set blue up
/bin/ip link set port0 master blue
/bin/ip addr add 10.9.0.2/24 dev port0
/bin/ip route add default via 10.9.0.1 dev port0 table 1001
say address "$(/bin/ip -json -details address show)"
say route4 "$(/bin/ip -json -4 route show table all)"
say rule4 "$(/bin/ip -json -4 rule show)"
say rule6 "$(/bin/ip -json -6 rule show)"
say route6 "$(/bin/ip -json -6 route show table all)"
`

  it('tells of a VRF: its table, its port, its default route', async () => {
    const said = await askRealKernel({
      modules: ['vrf', 'dummy'],
      files: [],
      script: routing,
      devices: [],
      withIp: true,
    })
    const tree = emptyTree()
    for (const question of ['address', 'route4', 'route6', 'rule4', 'rule6'] as const)
      addToTree(tree, recordPath(question), { kind: 'file', bytes: new TextEncoder().encode(said[question]) })
    const facts = networkFacts(startReading(treeReader(tree)))
    expect(facts.interfaces.byName.get('blue')).toMatchObject({
      kind: 'vrf',
      table: '1001',
      lower: ['port0'],
    })
    expect(defaultRoutes(facts).map((route) => `${route.table}: ${route.interface}`)).toEqual(['1001: port0'])
    expect(interfacesWith(facts, '10.9.0.2')).toEqual(['port0'])
  })
})
