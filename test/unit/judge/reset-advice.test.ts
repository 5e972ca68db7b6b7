/**
 * What is said about resets that are known bad: a newer kernel is advice only where it helps, and hearsay is
 * called so.
 */
import { describe, expect, it } from 'vitest'
import { judgeHost } from '../../../src/judge/judge.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { endpoint, port } from '../pci/machines.ts'
import { host } from '../../support/host-builder.ts'

const rootPort = port('00:1c.0', [1, 1])

const said = (ids: string, release: string | undefined, more: Partial<PciDevice> = {}) => {
  const [vendorId = '', deviceId = ''] = ids.split(':')
  const card = endpoint('01:00.0', {}, { vendorId, deviceId, iommuGroup: 1, driver: null, ...more })
  const kernel = release === undefined ? {} : { release }
  const { devices } = judgeHost(host([rootPort, card], { kernel }))
  return devices
    .filter(({ address }) => address === '0000:01:00.0')
    .flatMap(({ reasons }) => reasons.filter(({ code }) => code === 'reset-bug'))
    .map(({ severity, message, help }) => `${severity}: ${message}; ${help}`)
}

describe('a reset that is known bad', () => {
  it('of a kernel that lacks the quirk: a newer one helps', () => {
    expect(said('1b21:1164', '6.12.74')[0]).toMatch(/this kernel does not\); use a newer kernel/)
  })

  it('of a kernel that has it: no newer one helps', () => {
    const [only, ...more] = said('1b21:1164', '6.12.75')
    expect([only?.includes('newer kernel'), more]).toEqual([false, []])
  })

  it('of a kernel that may have it: said as a condition', () => {
    expect(said('1b21:1164', '6.8.0-45-generic')[0]).toMatch(
      /Linux 6\.1\.165, 6\.12\.75 and 7\.1 and newer know this; whether this kernel does is not known/,
    )
  })

  it('of AMD graphics, which every kernel knows: no word of kernels', () => {
    for (const text of said('1002:73df', '6.12.75', { classCode: '030000' }))
      expect(text).not.toContain('kernel')
  })
})

describe('what users report', () => {
  it.each(['10de:2b85', '1002:7550', '1002:1586'])(
    '%s is a note, called so, with its source and date',
    (ids) => {
      const reports = said(ids, '7.3.4').filter((text) => text.includes('users report'))
      expect(reports).toHaveLength(1)
      expect(reports[0]).toMatch(/^note: .*\(github\.com\/\S+ issue \d+, 20\d\d-\d\d\)/)
    },
  )

  it('is said of no other card', () => {
    expect(said('10de:2684', '7.3.4')).toEqual([])
  })
})
