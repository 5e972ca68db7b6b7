/**
 * Rows of the quirk tables come with stable patch levels: what is predicted just below and just above each of
 * them.
 */
import { describe, expect, it } from 'vitest'
import { predictGroups } from '../../support/groups.ts'
import { acsRows, brokenSourceValidation } from '../../../src/pci/quirks/acs-quirks.ts'
import { isVmdEndpoint } from '../../../src/pci/quirks/dma-alias-quirks.ts'
import {
  holdsFor,
  parseKernel,
  type KernelLevel,
  type Since,
} from '../../../src/pci/quirks/kernel-release.ts'
import { resetRows } from '../../../src/pci/quirks/reset-quirks.ts'
import { judgeReset } from '../../../src/pci/reset.ts'
import { findTopology } from '../../../src/pci/topology.ts'
import { acs, at, endpoint, intelHost, port } from './machines.ts'

const rootPort = port('00:1c.0', [1, 1], { acs })

/** Two functions of one card without ACS: two groups where the kernel has the row, one where it has not. */
function groupsAt(
  ids: string,
  kernelRelease: string | undefined,
  portType: 'endpoint' | 'downstreamPort' = 'endpoint',
) {
  const [vendorId = '', deviceId = ''] = ids.split(':')
  const card = ['01:00.0', '01:00.1'].map((address) =>
    endpoint(address, { multifunctionBit: true, portType }, { vendorId, deviceId }),
  )
  const groups = predictGroups(
    [intelHost, rootPort, ...card],
    kernelRelease === undefined ? {} : { kernelRelease },
  )
  const own = groups.filter(({ devices }) => devices.some((one) => one.startsWith('0000:01:')))
  return own.some(({ confidence }) => confidence === 'low') ? 'low' : own.length === 2 ? 'apart' : 'together'
}

/**
 * From the ChangeLogs of kernel.org: the first stable update of each series that has the row, and the one
 * before.
 */
const updates: readonly (readonly [string, string, string])[] = [
  ['14e4:1760', '6.1.121', '6.1.122'],
  ['14e4:1763', '6.1.121', '6.1.122'],
  ['17cb:0115', '6.1.112', '6.1.113'],
  ['17cb:0115', '6.11.3', '6.11.4'],
  ['17cb:0111', '6.1.164', '6.1.165'],
  ['17cb:0120', '6.12.74', '6.12.75'],
  ['0014:7a09', '6.1.141', '6.1.142'],
  ['0014:3c29', '6.12.34', '6.12.35'],
  ['8088:5010', '6.1.119', '6.1.120'],
  ['8088:5140', '6.12.4', '6.12.5'],
]

describe('groups of a card whose isolation came with an update', () => {
  it.each(updates)('%s: %s lacks it, %s has it', (ids, before, since) => {
    expect([groupsAt(ids, before), groupsAt(ids, since)]).toEqual(['together', 'apart'])
    expect(groupsAt(ids, `${since}-1-amd64`)).toBe('apart')
    expect(groupsAt(ids, `${before}-1-amd64`)).toBe('low')
    for (const unsure of [undefined, '6.8.0-45-generic', '6.1.0-13-amd64', '5.14.0-427.el9.x86_64', 'custom'])
      expect(groupsAt(ids, unsure), unsure).toBe('low')
    expect(groupsAt(ids, '7.2.13')).toBe('apart')
    expect(groupsAt(ids, '7.3.0-15-generic')).toBe('apart')
  })

  it('ports of Zhaoxin, which the row takes apart since 6.8', () => {
    const at = (release: string) => groupsAt('1d17:0740', release, 'downstreamPort')
    expect(['6.1.73', '6.1.74', '6.6.12', '6.6.13'].map(at)).toEqual([
      'together',
      'apart',
      'together',
      'apart',
    ])
    expect(groupsAt('1d17:0712', '6.1.0-13-amd64', 'downstreamPort')).toBe('apart')
  })

  it('is predicted for every kernel where the row was always there, or never', () => {
    for (const release of [undefined, '6.1.1', '6.8.0-45-generic', '6.12.20', '7.3.1']) {
      expect(groupsAt('8086:1521', release)).toBe('apart')
      expect(groupsAt('8088:0101', release)).toBe('apart')
      expect(groupsAt('8088:0200', release)).toBe('together')
      expect(groupsAt('abcd:1234', release)).toBe('together')
    }
  })

  it('is never sure on a kernel with rules of its own', () => {
    for (const release of ['6.14.0-1003-nvidia', '6.8.0-1013-nvidia-64k', '6.17.0-1001-nvidia-lowlatency'])
      expect([groupsAt('8086:1521', release), groupsAt('abcd:1234', release)]).toEqual(['low', 'low'])
  })
})

const sinces: readonly (readonly [string, Since])[] = [
  ...acsRows.flatMap(({ vendor, later = [] }) =>
    later.map(({ since }) => [`ACS of ${vendor}`, since] as const),
  ),
  ...resetRows.flatMap(({ about, since }) => (since ? [[about, since] as const] : [])),
  ['ACS capability of IDT', brokenSourceValidation.since],
]

describe('every row that came later', () => {
  const holds = (since: Since, release: string) => holdsFor(since, parseKernel(release))
  const text = ([major, minor, patch]: KernelLevel) => `${major}.${minor}.${patch}`

  it.each(sinces)('%s', (_, since) => {
    for (const level of [since.from, ...since.stable]) {
      const [major, minor, patch] = level
      expect(holds(since, text(level))).toBe(true)
      expect(holds(since, `${major}.${minor}.${patch + 30}`)).toBe(true)
      if (patch > 0) {
        const below = text([major, minor, patch - 1])
        expect(holds(since, below)).toBe(false)
        expect(holds(since, `${below}-2-pve`)).toBeUndefined()
        expect(holds(since, `${below}+deb13-amd64`)).toBeUndefined()
        expect(holds(since, `${major}.${minor}.0-99-generic`)).toBeUndefined()
      } else expect(holds(since, `${major}.${minor}.0-rc2`)).toBeUndefined()
    }
    const [major, minor] = since.from
    expect(holds(since, `${major}.${minor + 1}.0-3-generic`)).toBe(true)
    for (const level of since.lackedBy ?? []) {
      expect(holds(since, text(level))).toBe(false)
      expect(holds(since, `${text(level)}-1-amd64`)).toBeUndefined()
      expect(holds(since, text([level[0], level[1], level[2] + 1]))).not.toBe(false)
    }
    expect(holds(since, '5.10.200')).toBeUndefined()
    expect(holdsFor(since, undefined)).toBeUndefined()
  })

  it('there are as many as the ChangeLogs name', () => {
    expect(sinces.length).toBeGreaterThan(14)
  })
})

describe('resets of a card whose quirk came with an update', () => {
  const soft = { power: { noSoftReset: false } } as const
  const judged = (ids: string, release: string | undefined, more: object = {}) => {
    const [vendorId = '', deviceId = ''] = ids.split(':')
    const card = endpoint('01:00.0', { flr: true, ...soft }, { vendorId, deviceId, ...more })
    return judgeReset(findTopology([intelHost, rootPort, card]), at('01:00.0'), release)
  }
  const told = (...args: Parameters<typeof judged>) => {
    const { class: kind, notes = [] } = judged(...args) ?? {}
    return [kind, ...notes.map((note) => (note.inDoubt ? `${note.kind}?` : note.kind))].join(' ')
  }

  it('an FLR that the kernel does not know to be bad', () => {
    expect(told('14c3:7925', '6.12.110')).toBe('function quirkMissing')
    expect(told('14c3:7925', '7.1.13')).toBe('function quirkMissing')
    expect(told('14c3:7925', '6.12.111')).toBe('bus noFlr')
    expect(told('14c3:7925', '7.3.4')).toBe('bus noFlr')
    expect(told('14c3:7925', '6.12.74+deb13-amd64')).toBe('unknown noFlr?')
    expect(told('14c3:7925', undefined)).toBe('unknown noFlr?')
  })

  it('as its own list of resets shows better than its version', () => {
    expect(told('14c3:7925', '6.12.74+deb13-amd64', { resetMethods: ['flr', 'bus'] })).toContain(
      'quirkMissing',
    )
    expect(told('14c3:7925', '6.12.74+deb13-amd64', { resetMethods: ['bus'] })).toBe('bus noFlr')
    expect(told('1b21:1164', undefined, { resetMethods: ['pm', 'bus'] })).toContain('quirkMissing')
    expect(told('1b21:1164', undefined, { resetMethods: ['pm'] })).toBe('power noBusReset')
  })

  it('a bus reset after which the card is gone', () => {
    const sata = { flr: false } as const
    const at = (release: string | undefined) => {
      const card = endpoint('01:00.0', { ...sata, ...soft }, { vendorId: '1b21', deviceId: '1164' })
      const found = judgeReset(findTopology([intelHost, rootPort, card]), card.address, release)
      return `${found?.class} ${found?.notes.map(({ kind, inDoubt }) => (inDoubt ? `${kind}?` : kind)).join()}`
    }
    expect(at('6.12.74')).toBe('bus quirkMissing')
    expect(at('6.12.75')).toBe('power noBusReset')
    expect(at('6.8.0-45-generic')).toBe('unknown noBusReset?')
    expect(at('7.1.2')).toBe('power noBusReset')
  })
})

it('knows the VMD endpoints of 7.3', () => {
  for (const deviceId of ['28c0', '28c1', 'b07f', 'd70b', 'd73b'])
    expect(isVmdEndpoint({ vendorId: '8086', deviceId })).toBe(true)
})
