/** One group, one verdict; and who is in a group's way and who is not (`iommu_group_claim_dma_owner`). */
import { describe, expect, it } from 'vitest'
import type { Host, LostNeed } from '../../../src/host/host.ts'
import { findJudgement, judgeHost } from '../../../src/judge/judge.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { at, device, host as hostOf, need, type DeviceFacts } from '../../support/host-builder.ts'

const judged = (host: Host, address: string) => {
  const judgement = findJudgement(judgeHost(host), at(address))
  return [judgement?.verdict, ...(judgement?.reasons.map((reason) => reason.code) ?? [])]
}
const verdicts = (host: Host) => judgeHost(host).devices.map(({ verdict }) => verdict)
const card = (facts: Partial<PciDevice> = {}) => [
  device('05:00.0', { kind: 'gpu', group: 9, ...facts }),
  device('05:00.1', { kind: 'audio', group: 9 }),
]
const board = (facts: Partial<PciDevice>) => device('00:02.0', { kind: 'isa', group: 9, ...facts })

describe('members of a group that are in nobody’s way', () => {
  it.each([
    [
      'a dummy host bridge without a driver',
      { classCode: '060000', vendorId: '1022', deviceId: '14da', driver: null },
    ],
    ['a host bridge of another maker', { classCode: '060000', vendorId: '1d17', driver: null }],
    ['an ISA bridge without a driver', { driver: null }],
    ['shared memory of the chipset', { classCode: '050000', driver: null }],
    ['an SMBus that pci-stub holds', { classCode: '0c0500', driver: 'pci-stub' }],
    [
      'a dummy function of which no driver is stated',
      { classCode: '130000', vendorId: '1022', driver: undefined },
    ],
  ])('%s', (_, facts) => {
    const { driver, ...rest } = facts
    const { driver: _driver, ...unsaid } = board(rest)
    const silent = driver === undefined ? unsaid : { ...unsaid, driver }
    const host = hostOf([...card(), silent])
    expect(verdicts(host)).toEqual(['ready', 'ready', 'refused'])
    expect(judgeHost(host).devices[0]?.goesWith).toEqual(['0000:05:00.1'])
  })

  it('is what the group says of itself, too', () => {
    const held = card({ driver: 'vfio-pci' }).map((one) => ({ ...one, driver: 'xe-vfio-pci' }))
    const port = device('00:01.1', { kind: 'bridge', group: 9, secondaryBus: 5 })
    const groups = (more: PciDevice) => judgeHost(hostOf([...held, port, more])).groups[0]?.viable
    expect(groups(board({ classCode: '060000', driver: null }))).toBe(true)
    expect(groups(board({ classCode: '060000', driver: 'skl_uncore' }))).toBe(false)
  })

  it('calls two functions of one card a fact and not a drawback', () => {
    const [first] = judgeHost(hostOf(card())).devices
    expect(first?.reasons.map(({ code, severity, message }) => [code, severity, message])).toEqual([
      [
        'group-shared',
        'note',
        '2 functions leave the host together: 0000:05:00.0 and 0000:05:00.1 (IOMMU group 9)',
      ],
    ])
  })
})

describe('members of a group that are in its way', () => {
  it.each([
    [
      'a host bridge that a driver holds',
      { classCode: '060000', driver: 'ie31200_edac' },
      'refused',
      'group-not-viable',
    ],
    [
      'an SMBus that a driver holds',
      { classCode: '0c0500', driver: 'piix4_smbus' },
      'refused',
      'group-not-viable',
    ],
    [
      'a security processor: it lets go',
      { classCode: '108000', vendorId: '1022', driver: 'ccp' },
      'caution',
      'group-shared',
    ],
    [
      'a thermal function: it lets go',
      { classCode: '118000', driver: 'intel_pch_thermal' },
      'caution',
      'group-shared',
    ],
  ])('%s', (_, facts, verdict, code) => {
    const host = hostOf([...card(), board(facts)])
    expect(judged(host, '05:00.0').slice(0, 2)).toEqual([verdict, code])
    expect(judged(host, '05:00.1')[0]).toBe(verdict)
    expect(judged(host, '00:02.0')[0]).toBe('refused')
  })

  it('does not know of a host bridge whose driver is not stated', () => {
    const { driver: _driver, ...unsaid } = board({ classCode: '060000' })
    expect(judged(hostOf([...card(), unsaid]), '05:00.0').slice(0, 2)).toEqual([
      'unknown',
      'input-incomplete',
    ])
    const { driver: _lpc, ...lpc } = board({})
    expect(judged(hostOf([...card(), lpc]), '05:00.0').slice(0, 2)).toEqual(['refused', 'group-not-viable'])
  })
})

describe('one group, one verdict', () => {
  const other = device('06:00.0', { kind: 'nic', group: 9 })

  it('is refused with the member that the host needs', () => {
    const host = hostOf([...card(), other], {
      needs: [need('06:00.0', 'default route', ['eth7'], { kind: 'network' })],
    })
    expect(verdicts(host)).toEqual(['refused', 'refused', 'refused'])
  })

  it('is unknown with the member at which a need may end', () => {
    const lost: LostNeed = {
      kind: 'network',
      what: 'default route',
      chain: [],
      lost: 'wwan0',
      why: 'nothing says which port it runs over',
      couldBe: [at('06:00.0')],
    }
    const host = hostOf([...card(), other], { lostNeeds: [lost] })
    expect(verdicts(host)).toEqual(['unknown', 'unknown', 'unknown'])
  })

  it('is unknown with the member of which the input does not say who uses it', () => {
    const listing = hostOf([...card({ driver: 'vfio-pci' }), other], { unreadNeeds: ['network'] })
    expect(verdicts(listing)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(judged(listing, '05:00.1')).toEqual(['unknown', 'input-incomplete', 'group-shared'])
  })

  it('is a caution with the member that has a drawback, or is of another card', () => {
    expect(verdicts(hostOf([...card(), other]))).toEqual(['caution', 'caution', 'caution'])
    const bad = device('05:00.1', { kind: 'audio', group: 9, resetMethods: [] })
    const second = device('05:00.2', { kind: 'usb', group: 9, vendorId: '10de' })
    const host = hostOf([...card().slice(0, 1), bad, second])
    expect(verdicts(host)).toEqual(['caution', 'caution', 'caution'])
    expect(judgeHost(host).devices[0]?.reasons[0]?.message).toContain('0000:05:00.1 has no usable reset')
  })

  it('lets a member be worse than its group', () => {
    const twins = hostOf([
      device('05:00.0', { kind: 'nic', group: 9, sriov: { totalVfs: 4, numVfs: 1 } }),
      device('05:00.1', { group: 9 }),
    ])
    expect(verdicts(twins)).toEqual(['caution', 'ready'])
  })

  it('calls functions of one slot no card where they are of two makers, or of the board', () => {
    const apu = [
      device('c4:00.0', { kind: 'gpu', group: 9, vendorId: '1002' }),
      device('c4:00.4', { kind: 'usb', group: 9, vendorId: '1022' }),
    ]
    expect(verdicts(hostOf(apu))).toEqual(['caution', 'caution'])
    const pch = [device('00:14.0', { kind: 'usb', group: 9 }), device('00:14.3', { kind: 'nic', group: 9 })]
    expect(verdicts(hostOf(pch))).toEqual(['caution', 'caution'])
    const hubs = [device('00:1a.0', { kind: 'usb', group: 9 }), device('00:1a.1', { kind: 'usb', group: 9 })]
    expect(verdicts(hostOf(hubs))).toEqual(['ready', 'ready'])
  })
})

describe('what exists only through another function', () => {
  const vmd = (facts: DeviceFacts = {}) =>
    device('64:05.5', {
      kind: 'storage',
      classCode: '010400',
      driver: 'vmd',
      group: 3,
      path: '0000:64/05.5',
      ...facts,
    })
  const drive = device('10000:02:00.0', { kind: 'nvme', group: 3, path: '0000:64/05.5/10000:01/04.0/00.0' })

  it('keeps a drive behind a VMD, and lets the VMD go with it', () => {
    const host = hostOf([vmd(), drive])
    expect(judged(host, '10000:02:00.0')).toEqual(['refused', 'behind-vmd'])
    expect(judged(host, '64:05.5')).toEqual(['ready', 'behind-vmd'])
    expect(judgeHost(host).devices[0]?.goesWith).toEqual([])
  })

  it('keeps the VMD whose drive the host needs, with a path or without', () => {
    const needs = [need('10000:02:00.0', '/', ['nvme3n1'])]
    expect(judged(hostOf([vmd(), drive], { needs }), '64:05.5')).toEqual([
      'refused',
      'behind-vmd',
      'host-disk',
    ])
    const { path: _a, ...lone } = vmd()
    const { path: _b, ...bare } = drive
    const second = vmd({ group: 4, path: '0000:96/05.5' })
    const host = hostOf([lone, bare, { ...second, address: at('96:05.5') }], { needs })
    expect(verdicts(host)).toEqual(['refused', 'refused', 'ready'])
  })

  it('refuses a virtual function in the group of its physical one, and only there', () => {
    const physical = device('08:00.0', { group: 5, sriov: { totalVfs: 8, numVfs: 1 } })
    const virtual = (group: number) => device('08:10.0', { group, physFn: at('08:00.0'), driver: null })
    expect(judged(hostOf([physical, virtual(5)]), '08:10.0')).toEqual(['refused', 'group-not-viable'])
    expect(judged(hostOf([physical, virtual(5)]), '08:00.0').slice(0, 2)).toEqual(['caution', 'sriov-active'])
    expect(judged(hostOf([physical, virtual(6)]), '08:10.0')).toEqual(['ready'])
  })

  it('keeps the physical function through whose virtual one the host is reached', () => {
    const physical = device('08:00.0', { group: 5, sriov: { totalVfs: 8, numVfs: 1 } })
    const virtual = device('08:10.0', { group: 6, physFn: at('08:00.0') })
    const needs = [need('08:10.0', 'default route', ['eth5v0'], { kind: 'network' })]
    expect(verdicts(hostOf([physical, virtual], { needs }))).toEqual(['refused', 'refused'])
  })
})
