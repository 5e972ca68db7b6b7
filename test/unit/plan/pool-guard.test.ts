import { describe, expect, it } from 'vitest'
import { guardsOf } from '../../../src/plan/changes/pool-guard.ts'
import { at, device, host, need, rootPort } from '../../support/host-builder.ts'

const machine = host(
  [
    device('00:17.0', { kind: 'nvme', deviceId: 'aaaa' }),
    device('00:1f.2', { kind: 'storage', deviceId: '2922' }),
    rootPort('00:1c.0', 2),
    device('02:00.0', { kind: 'storage', deviceId: '2922', parent: at('00:1c.0') }),
    device('03:00.0', { kind: 'storage', deviceId: '0097' }),
    device('04:00.0', { kind: 'nic' }),
  ],
  { needs: [need('00:17.0', '/', ['nvme0n1'])] },
)
const linesFor = (...leaving: string[]) =>
  guardsOf(machine, new Set(leaving.map(at))).map(({ whose, identity }) => `${whose} ${identity.path}`)

describe('the lines of the pool guard', () => {
  it('are the controllers that leave, their kind on the host, and what carries the disks of the host', () =>
    expect(linesFor('02:00.0', '04:00.0')).toEqual([
      'guest 0000:00/1c.0/00.0',
      'host 0000:00/17.0',
      'host 0000:00/1f.2',
    ]))

  it('name a controller of another kind only where the host needs it', () =>
    expect(linesFor('02:00.0')).not.toContain('host 0000:03/00.0'))

  it('leave out a controller whose place is not known', () =>
    expect(linesFor('03:00.0')).toEqual(['host 0000:00/17.0']))

  it('are none where no controller leaves', () => expect(linesFor('04:00.0')).toEqual([]))
})
