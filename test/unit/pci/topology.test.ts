import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { pathUp } from '../../../src/pci/topology-node.ts'
import { findPaths, findTopology } from '../../../src/pci/topology.ts'
import { acs, at, endpoint, fn, intelHost, port } from './machines.ts'
import { wildDevices } from './wild-machines.ts'

const names = (topology: ReturnType<typeof findTopology>, address: string) =>
  pathUp(topology.byAddress.get(at(address))!).map((n) => n.address.slice(5))

describe('findTopology', () => {
  const devices = [
    intelHost,
    port('00:1c.0', [1, 4], { acs }),
    port('01:00.0', [2, 4], { portType: 'upstreamPort' }),
    port('02:01.0', [4, 4], { portType: 'downstreamPort' }),
    endpoint('04:00.0'),
    endpoint('04:00.1'),
    fn('00:1f.3'),
  ]
  const topology = findTopology(devices)

  it('walks up to the root port', () => {
    expect(names(topology, '04:00.1')).toEqual(['02:01.0', '01:00.0', '00:1c.0'])
    expect(names(topology, '00:1f.3')).toEqual([])
  })

  it('gives places without bus numbers, which survive renumbering', () => {
    expect(findPaths(topology).get(at('04:00.1'))).toBe('0000:00/1c.0/00.0/01.0/00.1')
    const renumbered = findTopology([
      intelHost,
      port('00:1c.0', [7, 9], { acs }),
      port('07:00.0', [8, 9], { portType: 'upstreamPort' }),
      port('08:01.0', [9, 9], { portType: 'downstreamPort' }),
      endpoint('09:00.1'),
    ])
    expect(findPaths(renumbered).get(at('09:00.1'))).toBe('0000:00/1c.0/00.0/01.0/00.1')
    expect(findPaths(topology).get(at('00:1f.3'))).toBe('0000:00/1f.3')
  })

  it('puts virtual functions under their physical function, on a bus no bridge leads to as well', () => {
    const sriov = { totalVfs: 300, numVfs: 3, firstVfOffset: 0xff, vfStride: 1 }
    const stated = [
      intelHost,
      port('00:1c.0', [1, 2], { acs }),
      endpoint('01:00.0', { sriov }),
      endpoint('01:1f.7'),
      endpoint('02:00.0'),
      endpoint('02:00.1'),
    ]
    const reckoned = findTopology(stated)
    const byLink = findTopology(
      stated.map((d) => (d.address > '0000:01:00.0' ? { ...d, physFn: at('01:00.0') } : d)),
    )
    for (const topology of [reckoned, byLink]) {
      expect(names(topology, '02:00.1')).toEqual(['00:1c.0'])
      expect(topology.byAddress.get(at('02:00.1'))?.parentUnsure).toBeUndefined()
      expect(findPaths(topology).get(at('02:00.1'))).toBe('0000:00/1c.0/00.0/vf2')
    }
  })

  it('keeps what sysfs states over what bus numbers say', () => {
    const moved = findTopology([
      port('00:1c.0', [1, 1]),
      port('00:1c.4', [2, 2]),
      { ...endpoint('01:00.0'), parent: at('00:1c.4') },
    ])
    expect(names(moved, '01:00.0')).toEqual(['00:1c.4'])
  })

  it('takes a bus for a root bus only when no bridge may lead to it', () => {
    const unsure = (list: PciDevice[], address: string) =>
      findTopology(list).byAddress.get(at(address))?.parentUnsure
    const { secondaryBus: _s, subordinateBus: _b, ...blind } = port('00:1c.0', [1, 1]).facts!
    expect(unsure([intelHost, endpoint('80:00.0')], '80:00.0')).toBe(true)
    expect(unsure([intelHost, fn('80:05.0')], '80:05.0')).toBe(true)
    expect(unsure([intelHost, port('00:1c.0', [1, 1]), fn('80:05.0')], '80:05.0')).toBeUndefined()
    expect(unsure([port('00:1c.0', [1, 1]), fn('80:05.0')], '80:05.0')).toBe(true)
    expect(unsure([intelHost, port('00:1c.0', [1, 1]), endpoint('02:00.0')], '02:00.0')).toBe(true)
    expect(unsure([port('80:02.0', [0x81, 0x81]), fn('80:05.0')], '80:05.0')).toBeUndefined()
    expect(unsure([fn('80:05.0', { portType: 'rootComplexEndpoint' })], '80:05.0')).toBeUndefined()
    expect(unsure([fn('00:05.0')], '00:05.0')).toBeUndefined()
    const named = findTopology([fn('0001:40:05.0')], new Set(['0001:40']))
    expect(named.byAddress.get(at('0001:40:05.0'))?.parentUnsure).toBeUndefined()
    expect(
      unsure([intelHost, { ...port('00:1c.0', [1, 1]), facts: blind }, endpoint('80:00.0')], '80:00.0'),
    ).toBe(true)
    const stated = { ...endpoint('80:00.0'), path: '0000:80/00.0' }
    expect(
      unsure([intelHost, { ...port('00:1c.0', [1, 1]), facts: blind }, stated], '80:00.0'),
    ).toBeUndefined()
  })

  it('doubts a parent that only holds the bus in its range', () => {
    const far = { ...endpoint('03:00.0'), parent: at('00:1c.0') }
    const topology = findTopology([intelHost, port('00:1c.0', [1, 4], { acs }), far])
    expect(topology.byAddress.get(at('03:00.0'))?.parentUnsure).toBe(true)
    expect(findPaths(topology).has(at('03:00.0'))).toBe(false)
  })

  it('places what hangs below a root port that is named but not listed', () => {
    const topology = findTopology([{ ...endpoint('02:00.0'), parent: at('00:1c.0') }])
    expect(findPaths(topology).get(at('02:00.0'))).toBe('0000:00/1c.0/00.0')
  })

  it('marks a bus two bridges claim', () => {
    const topology = findTopology([port('00:1c.0', [1, 1]), port('00:1c.1', [1, 1]), endpoint('01:00.0')])
    expect(names(topology, '01:00.0')).toEqual(['00:1c.0'])
    expect(topology.byAddress.get(at('01:00.0'))?.parentUnsure).toBe(true)
  })

  it('ends on what no machine has: parents nested by the thousand, physical functions that all claim 65,535 VFs', () => {
    const address = (n: number) =>
      formatAddress({ domain: 0, bus: n >> 8, slot: (n >> 3) & 31, function: n & 7 })
    const nested = Array.from({ length: 5000 }, (_, n) => ({
      ...port('00:00.0', [0, 0]),
      address: address(n),
      ...(n > 0 && { parent: address(n - 1) }),
    }))
    const chain = findTopology(nested)
    expect(Math.max(...chain.nodes.map((node) => pathUp(node).length))).toBeLessThanOrEqual(256)
    const sriov = { totalVfs: 65_535, numVfs: 65_535, firstVfOffset: 1, vfStride: 1 }
    const greedy = Array.from({ length: 5000 }, (_, n) => ({
      ...endpoint('00:00.0', { sriov }),
      address: address(n),
    }))
    expect(findTopology(greedy).nodes).toHaveLength(5000)
  })

  it('opens rings of bridges', () => {
    const ring = findTopology([
      port('01:00.0', [2, 2]),
      port('02:00.0', [3, 3]),
      port('03:00.0', [1, 1]),
      endpoint('03:01.0'),
    ])
    expect(names(ring, '03:01.0').length).toBeLessThanOrEqual(3)
    expect(ring.nodes.some((node) => node.parentUnsure)).toBe(true)
    const self = findTopology([{ ...port('01:00.0', [1, 1]), parent: at('01:00.0') }])
    expect(names(self, '01:00.0')).toEqual([])
  })
})

describe('contradictory machines', () => {
  const numRuns = Math.max(1000, Number(process.env['HANDOVER_FUZZ_RUNS'] ?? 0))
  it('every walk ends, parents come before children, places are unique', () => {
    fc.assert(
      fc.property(wildDevices, (devices) => {
        const topology = findTopology(devices)
        const seen = new Set<string>()
        for (const node of topology.nodes) {
          expect(pathUp(node).length).toBeLessThan(devices.length)
          if (node.parent) expect(seen.has(node.parent.address)).toBe(true)
          seen.add(node.address)
        }
        expect(seen.size).toBe(new Set(devices.map((d) => d.address)).size)
        const paths = findPaths(topology)
        expect(new Set(paths.values()).size).toBe(paths.size)
      }),
      { numRuns },
    )
  })
})
