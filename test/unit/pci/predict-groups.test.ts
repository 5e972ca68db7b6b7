/**
 * Predicted groups against the kernel's, on virtual machines that really booted (shared/data/group-fixtures).
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAddress, type PciAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { predictGroups } from '../../support/groups.ts'
import { acs, amdHost, at, endpoint, fn, intelHost, port } from './machines.ts'
import { comparePairs } from './pairs.ts'

const folder = new URL('../../../../shared/data/group-fixtures/', import.meta.url)
const present = existsSync(folder)

type Fixture = {
  kernel: string
  acpiTables: Record<string, string>
  devices: { bdf: string; cfgSize: number; config: string; iommuGroup: number | null }[]
}

function readFixture(name: string): {
  devices: PciDevice[]
  actual: Map<PciAddress, string>
  options: object
} {
  const fixture = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture
  const actual = new Map<PciAddress, string>()
  const devices = fixture.devices.map((d) => {
    const address = parseAddress(d.bdf)!
    if (d.iommuGroup !== null) actual.set(address, String(d.iommuGroup))
    const config = Buffer.from(d.config, 'base64')
      .toString('hex')
      .padEnd(d.cfgSize * 2, '0')
    return { address, config }
  })
  const hexOf = (table: string) => Buffer.from(fixture.acpiTables[table] ?? '', 'base64').toString('hex')
  const options = {
    kernelRelease: fixture.kernel,
    ...(fixture.acpiTables['DMAR'] && { dmar: hexOf('DMAR') }),
    ...(fixture.acpiTables['IVRS'] && { ivrs: hexOf('IVRS') }),
  }
  return { devices, actual, options }
}

describe.skipIf(!present)(`group fixtures${present ? '' : ' (skipped: ../shared/data is not there)'}`, () => {
  for (const name of ['qemu-q35-intel-A', 'qemu-q35-intel-B', 'qemu-q35-amd-A']) {
    it(`${name}: the kernel's partition and numbering`, () => {
      const { devices, actual, options } = readFixture(`${name}.json`)
      const predicted = predictGroups(devices, options)
      const count = comparePairs(name, predicted, actual)
      expect(count.right).toBe(count.pairs)
      expect(count.wrongHighGroups).toEqual([])
      const numbering = predicted.flatMap((group, id) => group.devices.map((d) => [d, String(id)]))
      expect(Object.fromEntries(numbering)).toEqual(Object.fromEntries(actual))
      expect(predicted.map((g) => g.confidence)).toEqual(predicted.map(() => 'high'))
    })
  }
})

/**
 * Groups without domain and without the host bridge: `01:00.0 01:00.1 | 02:00.0`; a low one starts with `?`.
 */
function groupsOf(devices: readonly PciDevice[], options: Parameters<typeof predictGroups>[1] = {}): string {
  return predictGroups(devices, options)
    .filter((group) => group.devices[0] !== '0000:00:00.0')
    .map((g) => (g.confidence === 'low' ? '?' : '') + g.devices.map((d) => d.replace(/^0000:/, '')).join(' '))
    .join(' | ')
}

const pair = (more: Parameters<typeof endpoint>[1] = {}, ids: Parameters<typeof endpoint>[2] = {}) => [
  endpoint('01:00.0', { multifunctionBit: true, ...more }, ids),
  endpoint('01:00.1', { multifunctionBit: true, ...more }, ids),
]

describe('what the kernel makes of', () => {
  const rootPort = port('00:1c.0', [1, 1], { acs })
  const bare = port('00:1c.0', [1, 1])
  const cases: [string, PciDevice[], string][] = [
    ['a card behind a port with ACS', [rootPort, endpoint('01:00.0')], '00:1c.0 | 01:00.0'],
    ['a card behind a port without', [bare, endpoint('01:00.0')], '00:1c.0 01:00.0'],
    ['two functions without ACS', [rootPort, ...pair()], '00:1c.0 | 01:00.0 01:00.1'],
    ['two functions with ACS', [rootPort, ...pair({ acs })], '00:1c.0 | 01:00.0 | 01:00.1'],
    [
      'two ports of an I350',
      [rootPort, ...pair({}, { vendorId: '8086', deviceId: '1521' })],
      '00:1c.0 | 01:00.0 | 01:00.1',
    ],
    [
      'two ports of an X540',
      [rootPort, ...pair({}, { vendorId: '8086', deviceId: '1528' })],
      '00:1c.0 | 01:00.0 01:00.1',
    ],
    [
      'conventional functions of one slot',
      [fn('00:1f.0'), fn('00:1f.3'), fn('00:1e.0')],
      '00:1e.0 | 00:1f.0 00:1f.3',
    ],
    [
      'Intel integrated endpoints of one slot',
      [0, 1].map((n) =>
        fn(`00:15.${n}`, { portType: 'rootComplexEndpoint' }, { vendorId: '8086', deviceId: 'a160' }),
      ),
      '00:15.0 | 00:15.1',
    ],
    [
      'a PCIe-to-PCI bridge',
      [rootPort, port('01:00.0', [2, 2], { portType: 'pcieToPciBridge' }), fn('02:00.0'), fn('02:04.0')],
      '00:1c.0 | 01:00.0 02:00.0 02:04.0',
    ],
    [
      'a switch with ACS in its ports',
      [
        port('00:1c.0', [1, 4], { acs }),
        port('01:00.0', [2, 4], { portType: 'upstreamPort' }),
        port('02:00.0', [3, 3], { portType: 'downstreamPort', acs }),
        port('02:01.0', [4, 4], { portType: 'downstreamPort', acs }),
        endpoint('03:00.0'),
        endpoint('04:00.0'),
      ],
      '00:1c.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0',
    ],
    [
      'a switch without',
      [
        port('00:1c.0', [1, 4], { acs }),
        port('01:00.0', [2, 4], { portType: 'upstreamPort' }),
        port('02:00.0', [3, 3], { portType: 'downstreamPort' }),
        port('02:01.0', [4, 4], { portType: 'downstreamPort' }),
        endpoint('03:00.0'),
        endpoint('04:00.0'),
      ],
      '00:1c.0 | 01:00.0 | 02:00.0 03:00.0 | 02:01.0 04:00.0',
    ],
    [
      'virtual functions of a card without ACS',
      [
        port('00:1c.0', [1, 2], { acs }),
        ...pair({ sriov: { totalVfs: 2, numVfs: 2, firstVfOffset: 0x80, vfStride: 2 } }),
        endpoint('01:10.0'),
        endpoint('01:10.1'),
        endpoint('01:10.2'),
      ],
      '00:1c.0 | 01:00.0 01:00.1 | 01:10.0 | 01:10.1 | 01:10.2',
    ],
    [
      'a Marvell SATA controller that answers as function 1',
      [rootPort, ...pair({ acs }, { vendorId: '1b4b', deviceId: '9230' })],
      '00:1c.0 | 01:00.0 01:00.1',
    ],
    [
      'root ports without ACS in one slot',
      [port('00:01.0', [1, 1]), port('00:01.1', [2, 2]), endpoint('01:00.0'), endpoint('02:00.0')],
      '00:01.0 00:01.1 01:00.0 02:00.0',
    ],
  ]
  it.each(cases)('%s', (_name, devices, expected) => {
    expect(groupsOf([intelHost, ...devices])).toBe(expected)
  })

  it('ports of older PCHs, by the LPC bridge: enabled, not enabled, not known', () => {
    const pch = { ...port('00:1c.0', [1, 1]), vendorId: '8086', deviceId: '8c10' }
    const lpc = (facts: object) => fn('00:1f.0', facts, { vendorId: '8086', classCode: '060100' })
    const machine = (facts: object) => [intelHost, pch, lpc(facts), endpoint('01:00.0')]
    expect(groupsOf(machine({ rcbaEnabled: true }))).toBe('00:1c.0 | 00:1f.0 | 01:00.0')
    expect(groupsOf(machine({ rcbaEnabled: false }))).toBe('00:1c.0 01:00.0 | 00:1f.0')
    expect(groupsOf(machine({}))).toBe('?00:1c.0 | 00:1f.0 | ?01:00.0')
  })

  it('the order of the list does not matter, nor does an entry given twice', () => {
    const devices = [intelHost, rootPort, ...pair(), fn('00:1f.0')]
    const expected = groupsOf(devices)
    expect(groupsOf([...devices].reverse())).toBe(expected)
    expect(groupsOf([...devices, ...devices])).toBe(expected)
  })
})

describe('confidence', () => {
  const rootPort = port('00:1c.0', [1, 1], { acs })

  it('is low where the extended part was not read and it matters, and only there', () => {
    const { acs: _acs, ...shallow } = port('00:1c.0', [1, 1]).facts!
    const unknown = { ...port('00:1c.0', [1, 1]), facts: { ...shallow, depth: 'standard' as const } }
    const rest = [endpoint('01:00.0', { depth: 'standard' }), fn('00:1f.0', { depth: 'standard' })]
    const host = { ...intelHost, facts: { ...intelHost.facts!, depth: 'standard' as const } }
    expect(groupsOf([host, unknown, ...rest])).toBe('?00:1c.0 01:00.0 | 00:1f.0')
    // A neighbour whose extended part was read proves that the kernel found none here.
    expect(groupsOf([intelHost, unknown, ...rest])).toBe('00:1c.0 01:00.0 | 00:1f.0')
  })

  it('is low for a bridge that does not answer, and for what hangs below it', () => {
    const asleep: PciDevice = {
      address: at('00:1c.0'),
      vendorId: '8086',
      deviceId: 'a110',
      facts: { depth: 'extended', notAnswering: true },
    }
    const groups = predictGroups([intelHost, asleep, { ...endpoint('01:00.0'), parent: at('00:1c.0') }])
    expect(groups.filter((g) => g.confidence === 'low').flatMap((g) => g.devices)).toEqual([
      at('00:1c.0'),
      at('01:00.0'),
    ])
  })

  it('is low below a bridge that was cut out of the listing', () => {
    const upstream = port('01:00.0', [2, 4], { portType: 'upstreamPort' })
    const devices = [intelHost, port('00:1c.0', [1, 4], { acs }), upstream, endpoint('03:00.0')]
    expect(groupsOf(devices)).toBe('00:1c.0 | 01:00.0 | ?03:00.0')
  })

  it('is low for functions that ARI may number, where the port type above is not known', () => {
    const isolating = { vendorId: '8086', deviceId: '1521', classCode: '060400' }
    const nic = [endpoint('01:01.0'), endpoint('01:01.1', { multifunctionBit: true })]
    const above = (portType: 'rootPort' | 'upstreamPort') => ({
      ...port('00:1c.0', [1, 1], { portType }),
      ...isolating,
    })
    expect(groupsOf([intelHost, above('rootPort'), ...nic])).toBe('00:1c.0 | 01:01.0 01:01.1')
    expect(groupsOf([intelHost, above('upstreamPort'), ...nic])).toBe('00:1c.0 | 01:01.0 | 01:01.1')
    const { portType: _portType, ...facts } = above('rootPort').facts!
    expect(groupsOf([intelHost, { ...above('rootPort'), facts }, ...nic])).toBe('?00:1c.0 01:01.0 01:01.1')
  })

  it('is low for both groups between which a function would have the choice', () => {
    // Known whole, .2 joins the virtual function: .0 keeps itself apart. Unknown, it may join either, or
    // neither.
    const card = (facts: object, vf: object) => [
      { ...endpoint('04:00.0', { multifunctionBit: true, acs }), ...facts },
      { ...fn('04:00.1'), physFn: at('04:00.0'), ...vf },
      fn('04:00.2'),
    ]
    expect(groupsOf([intelHost, port('00:1c.0', [4, 4], { acs }), ...card({}, {})])).toBe(
      '00:1c.0 | 04:00.0 | 04:00.1 04:00.2',
    )
    const shallow = { depth: 'header', headerType: 0, multifunctionBit: true } as const
    const unread = card(
      { facts: { ...shallow, portType: 'endpoint' } },
      { facts: { depth: 'header', headerType: 0 } },
    )
    const groups = predictGroups([intelHost, ...unread])
    expect(groups.filter((group) => group.confidence === 'high').flatMap((group) => group.devices)).toEqual([
      at('00:00.0'),
    ])
  })

  it('is low for a card whose bridge is not in the listing', () => {
    expect(groupsOf([intelHost, endpoint('04:00.0'), endpoint('05:00.0')])).toBe('?04:00.0 | ?05:00.0')
  })

  it('is low behind a VMD, whose endpoint stands for all', () => {
    const vmd = fn('00:0e.0', { portType: 'rootComplexEndpoint' }, { vendorId: '8086', deviceId: '467f' })
    const behind = [port('10000:e0:06.0', [0xe1, 0xe1], { acs }), endpoint('10000:e1:00.0')]
    expect(groupsOf([intelHost, vmd, ...behind])).toBe('?00:0e.0 10000:e0:06.0 10000:e1:00.0')
  })

  it('is low for everything where the platform is not known to be x86', () => {
    const host = fn('00:00.0', {}, { vendorId: '19e5', classCode: '060000' })
    const confidences = predictGroups([host, rootPort, endpoint('01:00.0')]).map((g) => g.confidence)
    expect(confidences).toEqual(['low', 'low', 'low'])
  })

  it('is low on AMD for functions sharing a bus, until the IVRS says who aliases whom', () => {
    const devices = [amdHost, port('00:01.1', [1, 1], { acs }), fn('00:14.0'), ...pair({ acs })]
    const lonely = [port('00:01.2', [2, 2], { acs }), endpoint('02:00.0')]
    expect(groupsOf([...devices, ...lonely])).toBe(
      '?00:01.1 | ?00:01.2 | ?00:14.0 | ?01:00.0 | ?01:00.1 | 02:00.0',
    )
  })

  it('is low where a patched kernel would be told otherwise, and the prediction stays the truth', () => {
    const devices = [intelHost, port('00:1c.0', [1, 1]), endpoint('01:00.0'), fn('00:1f.0')]
    const cmdline = 'quiet pcie_acs_override=downstream,multifunction'
    expect(groupsOf(devices, { cmdline })).toBe('?00:1c.0 01:00.0 | 00:1f.0')
    expect(groupsOf(devices, { cmdline: 'quiet' })).toBe('00:1c.0 01:00.0 | 00:1f.0')
  })

  it('is low where a kernel older than the tables may lack the row it rests on', () => {
    const nic = pair({}, { vendorId: '8086', deviceId: '1521' })
    const devices = [intelHost, rootPort, ...nic]
    expect(groupsOf(devices, { kernelRelease: '5.4.0-42-generic' })).toBe('00:1c.0 | ?01:00.0 | ?01:00.1')
    expect(groupsOf(devices, { kernelRelease: '6.1.0-13-amd64' })).toBe('00:1c.0 | 01:00.0 | 01:00.1')
  })

  it('is low where a parameter takes controls back', () => {
    const devices = [intelHost, rootPort, endpoint('01:00.0')]
    expect(groupsOf(devices, { cmdline: 'pci=disable_acs_redir=00:1c.0' })).toBe('?00:1c.0 | ?01:00.0')
  })

  it('is low where ids are missing and a quirk could speak for the device', () => {
    const nameless = pair().map(({ vendorId: _v, deviceId: _d, ...device }) => device)
    expect(groupsOf([intelHost, rootPort, ...nameless])).toBe('00:1c.0 | ?01:00.0 01:00.1')
  })
})
