import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
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

  it('lets a person give up the boot display, never a disk', () => {
    const host = hostOf([device('01:00.0', { kind: 'gpu', group: 1 }), sata], {
      needs: [need('01:00.0', 'boot display', [], { kind: 'display' }), need('00:17.0', '/')],
    })
    const given = judgeHost(host, { giveUp: ['boot-display', 'disk'] })
    expect(given.devices.map((d) => d.verdict)).toEqual(['caution', 'refused'])
    expect(judgeHost(host).devices.map((d) => d.verdict)).toEqual(['refused', 'refused'])
  })
})
