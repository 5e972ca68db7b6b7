import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { findJudgement, judgeHost } from '../../../src/judge/judge.ts'
import { at, device, host as hostOf, need } from '../../support/host-builder.ts'

const judged = (host: Host, address: string) => {
  const judgement = findJudgement(judgeHost(host), at(address))
  return [judgement?.verdict, ...(judgement?.reasons.map((reason) => reason.code) ?? [])]
}
const nic = device('01:00.0', { group: 1 })
const sata = device('00:17.0', { kind: 'storage', group: 4 })

describe('verdicts', () => {
  it('is ready when nothing speaks against it', () => {
    expect(judged(hostOf([nic]), '01:00.0')).toEqual(['ready'])
  })

  it('refuses what the host needs, with the chain', () => {
    const host = hostOf([sata], { needs: [need('00:17.0', '/', ['vg0/root', 'md0', 'sda'])] })
    expect(judged(host, '00:17.0')).toEqual(['refused', 'host-disk'])
    expect(judgeHost(host).devices[0]?.reasons[0]?.message).toContain(
      '/ → vg0/root → md0 → sda → 0000:00:17.0, group 4',
    )
  })

  it('refuses a device whose group holds something the host needs', () => {
    const host = hostOf([device('03:00.0', { group: 4 }), sata], { needs: [need('00:17.0', '/', ['sda2'])] })
    expect(judged(host, '03:00.0')).toEqual(['refused', 'group-not-viable', 'group-shared'])
  })

  it.each([
    ['a bridge', device('01:00.0', { kind: 'bridge', group: 1 }), 'refused', ['not-an-endpoint']],
    ['the ISA bridge', device('00:1f.0', { kind: 'isa', group: 1 }), 'refused', ['host-chipset']],
    ['no reset', device('01:00.0', { group: 1, resetMethods: [] }), 'caution', ['no-reset']],
    [
      'virtual functions',
      device('01:00.0', { group: 1, sriov: { totalVfs: 7, numVfs: 2 } }),
      'caution',
      ['sriov-active'],
    ],
    ['all ff', device('01:00.0', { group: 1, config: 'ff'.repeat(64) }), 'unknown', ['device-silent']],
  ])('%s', (_, one, verdict, codes) => {
    expect(judged(hostOf([one]), one.address)).toEqual([verdict, ...codes])
  })

  it('does not know without groups, and says how to turn the IOMMU on', () => {
    const host = hostOf([device('01:00.0', { iommuGroup: null })], { kernel: { cmdline: 'quiet' } })
    expect(judged(host, '01:00.0')).toEqual(['unknown', 'iommu-off'])
    expect(judgeHost(host).findings[0]?.help).toContain('intel_iommu=on')
  })

  it('advises another slot for a card without a group, and never for a part of the processor', () => {
    const helpAt = (address: string, facts: Partial<PciDevice>) => {
      const host = hostOf([nic, device(address, { kind: 'gpu', iommuGroup: null, ...facts })])
      const reason = findJudgement(judgeHost(host), at(address))?.reasons[0]
      expect(reason?.code).toBe('no-group')
      return reason?.help
    }
    expect(helpAt('00:02.0', { path: '0000:00/02.0' })).toContain('igfx_off')
    expect(helpAt('00:02.0', {})).not.toContain('slot')
    expect(helpAt('0a:00.0', { path: '0000:00/01.0/00.0' })).toContain('another slot')
  })

  it('does not call a disk controller ready when nothing is known of mounts', () => {
    const listing = hostOf([sata, nic], { source: { kind: 'lspci' } })
    expect(judged(listing, '00:17.0')).toEqual(['unknown', 'input-incomplete'])
    expect(judged({ ...listing, unreadNeeds: ['disk'] }, '01:00.0')).toEqual(['ready'])
  })

  it.each<[Host['source']['kind'], boolean]>([
    ['live', false],
    ['capture', false],
    ['sysfs', false],
    ['lspci', true],
    ['devbind', true],
    ['lshw', true],
  ])('of kind %s leaves what the host uses open: %s, where it names no gap', (kind, isOpen) => {
    const listing = hostOf([sata], { source: { kind } })
    expect(judged(listing, '00:17.0').includes('input-incomplete')).toBe(isOpen)
  })

  it('does not call a screen ready when nothing says which one the host shows on', () => {
    const gpu = (facts: Partial<PciDevice>) =>
      hostOf([device('01:00.0', { kind: 'gpu', group: 1, ...facts })])
    const listing = (facts: Partial<PciDevice>): Host => ({ ...gpu(facts), unreadNeeds: ['display'] })
    expect(judged(listing({ driver: 'nouveau' }), '01:00.0')).toEqual(['unknown', 'input-incomplete'])
    // The firmware's screen needs no driver.
    expect(judged(listing({ driver: null }), '01:00.0')).toEqual(['unknown', 'input-incomplete'])
    expect(judged(listing({ driver: 'vfio-pci' }), '01:00.0')).toEqual(['ready'])
    expect(judged(listing({ bootVga: false }), '01:00.0')).toEqual(['ready'])
    expect(judged(listing({ classCode: '030200' }), '01:00.0')).toEqual(['ready'])
    expect(judged(gpu({ driver: 'nouveau' }), '01:00.0')).toEqual(['ready'])
  })

  it('does not call a Thunderbolt interface ready when nothing says what is in the dock', () => {
    const nhi = (facts: Partial<PciDevice>, unreadNeeds: Host['unreadNeeds']): Host =>
      hostOf([device('06:00.0', { classCode: '088000', deviceId: '15d2', group: 4, ...facts })], {
        ...(unreadNeeds && { unreadNeeds }),
      })
    expect(judged(nhi({ driver: 'thunderbolt' }, ['disk']), '06:00.0')).toEqual([
      'unknown',
      'input-incomplete',
    ])
    expect(judged(nhi({ driver: null }, ['network']), '06:00.0')).toEqual(['unknown', 'input-incomplete'])
    expect(judged(nhi({ driver: 'vfio-pci' }, ['network']), '06:00.0')).toEqual(['ready'])
    expect(judged(nhi({ driver: 'thunderbolt' }, []), '06:00.0')).toEqual(['ready'])
    const usb4 = nhi({ classCode: '0c0340', vendorId: '1022', deviceId: '162e' }, ['network'])
    expect(judged(usb4, '06:00.0')).toEqual(['unknown', 'input-incomplete'])
  })

  it('calls nothing ready of which only the address is known', () => {
    const bare = hostOf([{ address: at('01:00.0') }], { groups: [{ id: 1, devices: [at('01:00.0')] }] })
    expect(judged(bare, '01:00.0')).toEqual(['unknown', 'input-incomplete'])
  })

  it.each([
    ['ASPEED', { vendorId: '1a03', deviceId: '2000' }, 'refused'],
    ['Matrox G200eR2', { vendorId: '102b', deviceId: '0534' }, 'refused'],
    ['Matrox G200eH5', { vendorId: '102b', deviceId: '053a' }, 'refused'],
    ['a Matrox card one could buy', { vendorId: '102b', deviceId: '0520' }, 'ready'],
    ['HPE iLO', { vendorId: '103c', deviceId: '3300', classCode: '0c0300' }, 'refused'],
  ])('keeps what belongs to the management controller: %s', (_, ids, verdict) => {
    const host = hostOf([device('03:00.0', { kind: 'gpu', group: 1, ...ids })])
    expect(judged(host, '03:00.0')).toEqual(verdict === 'refused' ? ['refused', 'host-console'] : [verdict])
  })

  it('knows a management controller by name where the listing has no ids', () => {
    const { vendorId: _v, deviceId: _d, ...rest } = device('03:00.0', { kind: 'gpu', group: 1 })
    const named = { ...rest, name: 'ASPEED Technology, Inc. ASPEED Graphics Family' }
    expect(judged(hostOf([named]), '03:00.0')).toEqual(['refused', 'host-console'])
  })

  it('tells a reset that is listed from one that works', () => {
    const card = [0, 1].map((fn) =>
      device(`01:00.${fn}`, { group: fn, resetMethods: fn === 0 ? ['bus'] : [], portType: 'endpoint' }),
    )
    const port = device('00:01.0', { kind: 'bridge', group: 9, secondaryBus: 1 })
    const [, first] = judgeHost(hostOf([port, ...card])).devices
    expect(first?.reasons.map((reason) => [reason.code, reason.message])).toEqual([
      [
        'no-reset',
        '0000:01:00.0 resets only together with 0000:01:00.1 (the listed bus reset will be refused)',
      ],
    ])
  })

  it('sees that a switch without ACS keeps nothing apart, whatever the groups say', () => {
    const facts = { depth: 'extended', acs: null, multifunctionBit: false } as const
    const acs = { depth: 'extended', acs: { capability: 0x1f, control: 0x1d } } as const
    const bridge = (address: string, below: number, more: object) =>
      device(address, { kind: 'bridge', secondaryBus: below, subordinateBus: 9, ...more })
    const host = hostOf([
      device('00:00.0', { classCode: '060000', group: 0, facts: { depth: 'standard', portType: null } }),
      bridge('00:01.0', 1, { group: 1, facts: { ...acs, portType: 'rootPort' } }),
      bridge('01:00.0', 2, {
        group: 2,
        portType: 'upstreamPort',
        facts: { ...facts, portType: 'upstreamPort' },
      }),
      bridge('02:00.0', 3, {
        group: 3,
        portType: 'downstreamPort',
        facts: { ...facts, portType: 'downstreamPort' },
      }),
      bridge('02:01.0', 4, {
        group: 4,
        portType: 'downstreamPort',
        facts: { ...facts, portType: 'downstreamPort' },
      }),
      device('03:00.0', { group: 3, portType: 'endpoint', facts: { ...facts, portType: 'endpoint' } }),
      device('04:00.0', { group: 4, portType: 'endpoint', facts: { ...facts, portType: 'endpoint' } }),
    ])
    expect(judged(host, '03:00.0')).toEqual(['caution', 'isolation-unproven', 'identical-devices'])
    const judgement = judgeHost(host)
    expect(judgement.groups.map((group) => group.isolated)).toEqual(['yes', 'yes', 'yes', 'no', 'no'])
    expect(findJudgement(judgement, at('03:00.0'))?.reasons[0]?.about).toEqual([
      '0000:03:00.0',
      '0000:04:00.0',
    ])
  })

  it('lets a person give up the boot display, never a disk', () => {
    const host = hostOf([device('01:00.0', { kind: 'gpu', group: 1 }), sata], {
      needs: [need('01:00.0', 'boot display', [], { kind: 'display' }), need('00:17.0', '/')],
    })
    const given = judgeHost(host, { giveUp: ['boot-display', 'disk'] })
    expect(given.devices.map((d) => d.verdict)).toEqual(['caution', 'refused'])
    expect(judgeHost(host).devices.map((d) => d.verdict)).toEqual(['refused', 'refused'])
  })
})
