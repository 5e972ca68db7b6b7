import * as fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { plan } from '../../../src/plan/plan.ts'
import { compareLocks, refreshLock } from '../../../src/plan/who/refresh-lock.ts'
import { formatLock, parseLock, type Lock } from '../../../src/spec/lock.ts'
import { device, host, hostWith, need, rootPort } from '../../support/host-builder.ts'
import { specOf } from '../../support/spec.ts'

const specWith = (devices: string) =>
  specOf(`version: 1\nvms:\n  a:\n    memory: 1 GiB\n    devices: ${devices}\n`)

function locked(before: Host, devices: string): Lock {
  const spec = specWith(devices)
  return refreshLock(before, spec, plan(before, spec).assignments)
}

/** Plans `after` with the lock made on `before`, through the lock's text. */
function replanned(before: Host, after: Host, devices: string) {
  const { lock } = parseLock(formatLock(locked(before, devices)), 'home.lock')
  return plan(after, specWith(devices), lock ? { lock } : {})
}

const port = (n: number) => rootPort(`00:1c.${n}`, n + 1, { group: n + 1 })
const codes = (result: { findings: readonly { code: string; severity: string }[] }) =>
  result.findings.filter((f) => f.code.startsWith('device-')).map((f) => `${f.severity} ${f.code}`)
const dsn = (deviceSerialNumber: string, more: Partial<PciDevice> = {}) => ({ deviceSerialNumber, ...more })
const nic = '{ lan: { class: nic } }'

describe('a locked device', () => {
  it('that is unchanged stays, whatever its bus and group numbers are now', () => {
    const before = hostWith(port(0), device('01:00.0', { group: 10, ...dsn('aa') }))
    const after = hostWith(
      rootPort('00:1c.0', 5, { group: 1 }),
      device('05:00.0', { group: 77, ...dsn('aa') }),
    )
    const result = replanned(before, after, nic)
    expect(codes(result)).toEqual(['note device-moved'])
    expect(result.assignments[0]).toMatchObject({
      address: '0000:05:00.0',
      moved: { from: '0000:01:00.0', to: '0000:05:00.0' },
    })
  })

  it('that moved is followed and shown, old place and new', () => {
    const before = hostWith(port(0), port(1), device('01:00.0', { group: 10, ...dsn('aa') }))
    const after = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10, ...dsn('bb') }),
      device('02:00.0', { group: 11, ...dsn('aa') }),
    )
    const result = replanned(before, after, nic)
    expect(codes(result)).toEqual(['warning device-moved'])
    expect(result.assignments[0]).toMatchObject({
      address: '0000:02:00.0',
      moved: { from: '0000:00/1c.0/00.0', to: '0000:00/1c.1/00.0' },
    })
    expect(result.steps.map((s) => s.kind === 'driver' && s.address)).toEqual(['0000:02:00.0'])
  })

  it('in whose place another stands stops the plan', () => {
    const before = hostWith(port(0), device('01:00.0', { group: 10, ...dsn('aa') }))
    const after = hostWith(port(0), device('01:00.0', { group: 10, ...dsn('bb') }))
    const result = replanned(before, after, nic)
    expect(codes(result)).toEqual(['error device-replaced'])
    expect(result.assignments).toEqual([])
    expect(result.steps).toEqual([])
  })

  it('of another kind in its place is a replacement too', () => {
    const before = hostWith(port(0), device('01:00.0', { group: 10 }))
    const after = hostWith(port(0), device('01:00.0', { group: 10, deviceId: '1533' }))
    expect(codes(replanned(before, after, nic))).toEqual(['error device-replaced'])
  })

  it('that is gone is missing, even when another could serve', () => {
    const before = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10, ...dsn('aa') }),
      device('02:00.0', { group: 11, ...dsn('bb') }),
    )
    const after = hostWith(port(0), port(1), device('02:00.0', { group: 11, ...dsn('bb') }))
    expect(codes(replanned(before, after, nic))).toEqual(['error device-missing'])
  })

  it('without a serial stays while its path does, twin or not', () => {
    const both = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10 }),
      device('02:00.0', { group: 11 }),
    )
    const result = replanned(both, both, nic)
    expect(codes(result)).toEqual([])
    expect(result.assignments[0]?.address).toBe('0000:01:00.0')
  })

  it('without a serial and with another at its place is ambiguous when a twin could be it', () => {
    const before = hostWith(port(0), port(1), device('01:00.0', { group: 10 }))
    const after = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10, deviceId: '1533' }),
      device('02:00.0', { group: 11 }),
    )
    expect(codes(replanned(before, after, nic))).toEqual(['error device-ambiguous'])
  })

  it('whose serial two devices show is ambiguous', () => {
    const before = hostWith(port(0), port(1), port(2), device('01:00.0', { group: 10, ...dsn('aa') }))
    const after = hostWith(
      port(0),
      port(1),
      port(2),
      device('02:00.0', { group: 11, ...dsn('aa') }),
      device('03:00.0', { group: 12, ...dsn('aa') }),
    )
    expect(codes(replanned(before, after, nic))).toEqual(['error device-ambiguous'])
  })

  it('whose MAC cannot be read any more, because its driver is gone, is still itself at its place', () => {
    const mac = { networkInterfaces: [{ name: 'eth1', permanentMac: '52:54:00:00:00:01' }] }
    const before = hostWith(port(0), device('01:00.0', { group: 10, ...mac }))
    const after = hostWith(
      port(0),
      device('01:00.0', { group: 10, driver: 'vfio-pci', driverOverride: 'vfio-pci' }),
    )
    const result = replanned(before, after, nic)
    expect(codes(result)).toEqual([])
    expect(result.assignments[0]?.identity.macs).toEqual(['52:54:00:00:00:01'])
  })

  it('with another MAC at its place is another device', () => {
    const mac = (last: string) => ({
      networkInterfaces: [{ name: 'eth1', permanentMac: `52:54:00:00:00:0${last}` }],
    })
    const before = hostWith(port(0), device('01:00.0', { group: 10, ...mac('1') }))
    expect(
      codes(replanned(before, hostWith(port(0), device('01:00.0', { group: 10, ...mac('2') })), nic)),
    ).toEqual(['error device-replaced'])
  })

  it('shares a card serial with its sibling port and is not taken for it', () => {
    const ports = (bus: string, serial: string) => [
      device(`${bus}:00.0`, { group: 10, ...dsn(serial) }),
      device(`${bus}:00.1`, { group: 10, ...dsn(serial) }),
    ]
    const before = hostWith(port(0), port(1), ...ports('01', 'aa'))
    const result = replanned(
      before,
      hostWith(port(0), port(1), ...ports('02', 'aa')),
      '{ lan: { class: nic, port: 2 } }',
    )
    expect(result.assignments[0]).toMatchObject({
      address: '0000:02:00.1',
      moved: { to: '0000:00/1c.1/00.1' },
    })
  })

  it('whose disks are all behind its twin now is ambiguous: cables or cards were swapped', () => {
    const hba = (address: string, group: number, serial: string) =>
      device(address, { kind: 'storage', group, disks: [{ name: 'sda', serial }] })
    const before = hostWith(port(0), port(1), hba('01:00.0', 10, 'A'), hba('02:00.0', 11, 'B'))
    const after = hostWith(port(0), port(1), hba('01:00.0', 10, 'B'), hba('02:00.0', 11, 'A'))
    expect(codes(replanned(before, after, '{ d: { address: "01:00.0" } }'))).toEqual([
      'error device-ambiguous',
    ])
  })

  it('whose disk was exchanged is unchanged', () => {
    const hba = (serial: string) =>
      hostWith(port(0), device('01:00.0', { kind: 'storage', group: 10, disks: [{ name: 'sda', serial }] }))
    expect(codes(replanned(hba('A'), hba('B'), '{ d: { class: storage } }'))).toEqual([])
  })

  it('of a role that asks for something else now is chosen again', () => {
    const both = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10 }),
      device('02:00.0', { kind: 'gpu', group: 11 }),
    )
    const result = plan(both, specWith('{ lan: { class: gpu } }'), { lock: locked(both, nic) })
    expect(result.assignments[0]?.address).toBe('0000:02:00.0')
  })

  it('is kept although the spec would now choose another first', () => {
    const one = hostWith(port(0), port(1), device('02:00.0', { group: 11, ...dsn('aa') }))
    const two = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10, ...dsn('bb') }),
      device('02:00.0', { group: 11, ...dsn('aa') }),
    )
    expect(replanned(one, two, nic).assignments[0]?.address).toBe('0000:02:00.0')
  })
})

describe('the renumbering story', () => {
  const hba = (address: string, group: number, serial: string, more: Partial<PciDevice> = {}) =>
    device(address, { kind: 'storage', group, deviceId: '2922', sasAddress: serial, ...more })
  // The guest's controller behind port 1c.2; a card in port 1c.0 shifts every bus number by one.
  const before = host(
    [
      rootPort('00:1c.1', 1, { group: 2 }),
      rootPort('00:1c.2', 2, { group: 3 }),
      hba('01:00.0', 10, 'host'),
      hba('02:00.0', 11, 'guest'),
    ],
    { needs: [need('01:00.0', '/', ['sda2', 'sda'])] },
  )
  const after = host(
    [
      rootPort('00:1c.0', 1, { group: 1 }),
      rootPort('00:1c.1', 2, { group: 2 }),
      rootPort('00:1c.2', 3, { group: 3 }),
      device('01:00.0', { kind: 'nvme', group: 9 }),
      hba('02:00.0', 10, 'host'),
      hba('03:00.0', 11, 'guest'),
    ],
    { needs: [need('02:00.0', '/', ['sda2', 'sda'])] },
  )
  const byAddress = '{ disks: { address: "02:00.0" } }'

  it('by address alone would mean the controller of the host, and is refused', () => {
    const result = plan(after, specWith(byAddress))
    expect(result.findings.map((f) => f.code)).toContain('host-disk')
    expect(result.steps).toEqual([])
  })

  it('with the lock follows the controller of the guest', () => {
    const result = replanned(before, after, byAddress)
    expect(result.assignments.map((a) => a.address)).toEqual(['0000:03:00.0'])
    expect(result.steps.map((s) => s.kind === 'driver' && s.address)).toEqual(['0000:03:00.0'])
  })

  it('of two swapped cards of one kind follows each by its serial', () => {
    const swapped = host(
      [
        rootPort('00:1c.1', 1, { group: 2 }),
        rootPort('00:1c.2', 2, { group: 3 }),
        hba('01:00.0', 10, 'guest'),
        hba('02:00.0', 11, 'host'),
      ],
      { needs: [need('02:00.0', '/', ['sda2', 'sda'])] },
    )
    const result = replanned(before, swapped, byAddress)
    expect(codes(result)).toEqual(['warning device-moved'])
    expect(result.assignments[0]).toMatchObject({
      address: '0000:01:00.0',
      moved: { from: '0000:00/1c.2/00.0', to: '0000:00/1c.1/00.0' },
    })
  })

  it('of two swapped cards of one kind whose serials cannot be told is not noticed while both stand there, and refused once one is gone', () => {
    const plain = (bus: string, group: number) => device(`${bus}:00.0`, { kind: 'gpu', group })
    const two = hostWith(port(0), port(1), plain('01', 10), plain('02', 11))
    expect(replanned(two, two, '{ s: { class: gpu } }').findings.map((f) => f.code)).toContain(
      'identical-devices',
    )
    expect(
      codes(replanned(two, hostWith(port(0), port(1), plain('02', 11)), '{ s: { class: gpu } }')),
    ).toEqual(['error device-missing'])
  })
})

describe('home.lock', () => {
  it('reads back as written, odd ids included', () => {
    const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    const identity = fc.record({
      path: texts,
      vendorId: fc.constantFrom('0010', '1e10', '10de'),
      deviceId: texts,
      macs: fc.array(texts, { minLength: 1 }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { maxLength: 5 }),
        identity,
        texts,
        (roles, who, name) => {
          const lock: Lock = {
            version: 1,
            devices: roles.toSorted().map((role) => ({
              vm: 'a',
              role,
              wanted: { class: 'nic', port: 2 },
              address: '0000:01:00.0',
              name,
              identity: who,
            })),
          }
          expect(parseLock(formatLock(lock), 'x')).toEqual({ lock, findings: [] })
        },
      ),
    )
  })

  it.each([
    '',
    'version: 2',
    'version: 1\ndevices: []',
    '[',
    'a: &x 1\nb: *x',
    '['.repeat(100_000),
    'version: 1\ndevices: { a: {} }',
  ])('that cannot be read stops everything (%#)', (text) => {
    const { lock, findings } = parseLock(text, 'home.lock')
    expect(lock).toBeUndefined()
    expect(findings).toMatchObject([{ code: 'lock-unreadable', severity: 'error' }])
  })

  it('says what changed', () => {
    const before = hostWith(
      port(0),
      port(1),
      device('01:00.0', { group: 10, ...dsn('aa') }),
      device('02:00.0', { kind: 'gpu', group: 11 }),
    )
    const after = hostWith(port(0), port(1), device('02:00.0', { group: 11, ...dsn('aa') }))
    const old = locked(before, '{ lan: { class: nic }, s: { class: gpu } }')
    const now = refreshLock(after, specWith(nic), replanned(before, after, nic).assignments)
    expect(compareLocks(old, now).map(({ role, kind }) => [role, kind])).toEqual([
      ['lan', 'moved'],
      ['s', 'removed'],
    ])
    expect(compareLocks(old, old).map(({ kind }) => kind)).toEqual(['unchanged', 'unchanged'])
    expect(compareLocks(undefined, old).map(({ kind }) => kind)).toEqual(['added', 'added'])
  })
})
