import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { plan } from '../../../src/plan/plan.ts'
import type { Plan } from '../../../src/plan/types.ts'
import { at, device, host, need, rootPort } from '../../support/host-builder.ts'
import { placedSpecOf } from '../../support/spec.ts'

/**
 * The seed example: chipset group, management NIC, two pairs of ports, a SATA controller with media disks, a
 * GPU.
 */
const seed = host(
  [
    device('00:02.0', { kind: 'nic', group: 1, networkInterfaces: [{ name: 'eth0' }] }),
    rootPort('00:1c.0', 1, { group: 2 }),
    rootPort('00:1c.1', 2, { group: 3 }),
    rootPort('00:1c.2', 3, { group: 4 }),
    rootPort('00:1c.3', 4, { group: 5 }),
    device('00:1f.0', { kind: 'isa', group: 6 }),
    device('00:1f.2', { kind: 'storage', group: 6 }),
    device('01:00.0', { group: 10 }),
    device('01:00.1', { group: 10 }),
    device('02:00.0', { group: 11 }),
    device('02:00.1', { group: 11 }),
    device('03:00.0', { kind: 'storage', group: 12, disks: [{ name: 'sdb', serial: 'MEDIA-1' }] }),
    device('04:00.0', { kind: 'gpu', group: 13 }),
    device('04:00.1', { kind: 'audio', group: 13 }),
  ],
  {
    needs: [
      need('00:1f.2', '/', ['sda1', 'sda']),
      need('00:02.0', 'default route', ['br0', 'eth0'], { kind: 'network' }),
    ],
  },
)

const home = `version: 1
vms:
  firewall:
    memory: 192 MiB
    devices:
      wan: { class: nic, card: quad, port: 1 }
      lan: { class: nic, card: quad, port: 2 }
  media:
    memory: 256 MiB
    needs: [firewall]
    devices:
      disks: { class: storage, disk: MEDIA-1 }
      screen: { class: gpu }
`

function planText(text: string, on: Host = seed): Plan {
  const { spec, places } = placedSpecOf(text)
  return plan(on, spec, { places })
}

const vms = (devices: string, more = '') =>
  `version: 1\nvms:\n  a:\n    memory: 1 GiB\n    devices: ${devices}\n${more}`
const codes = (result: Plan) => result.findings.filter((f) => f.severity === 'error').map((f) => f.code)

describe('the seed example', () => {
  const result = planText(home)

  it('gives the firewall a pair, the media VM its disks and the GPU', () => {
    expect(result.assignments.map((a) => [a.vm, a.role, a.address])).toEqual([
      ['firewall', 'wan', '0000:01:00.0'],
      ['firewall', 'lan', '0000:01:00.1'],
      ['media', 'disks', '0000:03:00.0'],
      ['media', 'screen', '0000:04:00.0'],
    ])
    expect(codes(result)).toEqual([])
  })

  it('takes the sound function along, and no bridge', () => {
    expect(result.takenAlong.map((t) => [t.vm, t.address, t.because])).toEqual([
      ['media', '0000:04:00.1', 'group 13'],
    ])
  })

  it('leaves the other pair as spare and keeps what the host needs', () => {
    expect(result.spare).toEqual(['0000:02:00.0', '0000:02:00.1'])
    expect(result.staying.map((s) => s.address)).toEqual(['0000:00:02.0', '0000:00:1f.2'])
  })

  it('changes a driver for each function that leaves, with before and after', () => {
    expect(result.steps.map((s) => s.kind === 'driver' && [s.address, s.before.driver, s.after])).toEqual(
      [
        ['0000:01:00.0', 'e1000e'],
        ['0000:01:00.1', 'e1000e'],
        ['0000:03:00.0', 'ahci'],
        ['0000:04:00.0', 'nouveau'],
        ['0000:04:00.1', 'snd_hda_intel'],
      ].map((pair) => [...pair, { driver: 'vfio-pci', driverOverride: 'vfio-pci' }]),
    )
  })

  it('sums what the guests pin and starts what is needed first', () => {
    expect(result.memory).toEqual({ pinnedMiB: 448, hostTotalMiB: 32_768 })
    expect(result.startOrder).toEqual(['firewall', 'media'])
  })

  it('has nothing left to do on a host that is as planned', () => {
    const done = seed.devices.map((one) =>
      result.steps.some((s) => s.kind === 'driver' && s.address === one.address)
        ? { ...one, driver: 'vfio-pci', driverOverride: 'vfio-pci' }
        : one,
    )
    expect(planText(home, { ...seed, devices: done }).steps).toEqual([])
  })

  it('is the same, byte by byte, each time', () => {
    expect(JSON.stringify(planText(home))).toBe(JSON.stringify(result))
  })
})

describe('a plan that cannot be', () => {
  it.each([
    ['the root controller', '{ d: { address: "00:1f.2" } }', 'host-disk'],
    ['the LPC controller beside it', '{ d: { address: "00:1f.0" } }', 'host-chipset'],
    ['the management NIC', '{ d: { class: nic, address: "00:02.0" } }', 'host-network'],
    ['a bridge', '{ d: { address: "00:1c.0" } }', 'not-an-endpoint'],
    ['what is not there', '{ d: { class: nvme } }', 'device-missing'],
    [
      'three ports of one pair',
      '{ a: { class: nic, pair: p }, b: { class: nic, pair: p }, c: { class: nic, pair: p } }',
      'demands-conflict',
    ],
  ])('%s: no steps, and the reason at its line', (_, devices, code) => {
    const result = planText(vms(devices))
    expect(codes(result)).toContain(code)
    expect(result.steps).toEqual([])
  })

  it('a group is never split between two VMs', () => {
    const text = vms(
      '{ x: { address: "01:00.0" } }',
      '  b:\n    memory: 1 GiB\n    devices: { y: { address: "01:00.1" } }\n',
    )
    expect(codes(planText(text))).toEqual(['demands-conflict'])
  })

  it('more memory than there is', () => {
    const result = planText(vms('{ x: { class: gpu } }').replace('1 GiB', '32 GiB'))
    expect(codes(result)).toEqual(['memory-overcommit'])
    expect(result.findings.find((f) => f.code === 'memory-overcommit')?.at).toMatchObject({
      line: 4,
      column: 13,
    })
  })
})

describe('choosing', () => {
  it.each([
    ['a name in any case', '{ d: { name: geforce } }', '0000:04:00.0'],
    ['ids', '{ d: { ids: "10DE:1b80" } }', '0000:04:00.0'],
    ['a disk behind it', '{ d: { disk: media1 } }', '0000:03:00.0'],
    ['a path', '{ d: { path: "0000:00/1c.1/00.1" } }', '0000:02:00.1'],
    ['a port', '{ d: { class: nic, port: 2 } }', '0000:01:00.1'],
  ])('by %s', (_, devices, address) => expect(planText(vms(devices)).assignments[0]?.address).toBe(address))

  it('two card words are two cards', () => {
    const devices = '{ a: { class: nic, card: one }, b: { class: nic, card: two } }'
    expect(planText(vms(devices)).assignments.map((a) => a.address)).toEqual(['0000:01:00.0', '0000:02:00.0'])
  })

  it('sees four ports behind a switch as one card', () => {
    const quad = host([
      rootPort('00:1c.0', 1, { group: 1 }),
      device('01:00.0', { kind: 'bridge', portType: 'upstreamPort', secondaryBus: 2, group: 2 }),
      device('02:02.0', { kind: 'bridge', portType: 'downstreamPort', secondaryBus: 3, group: 3 }),
      device('02:04.0', { kind: 'bridge', portType: 'downstreamPort', secondaryBus: 4, group: 4 }),
      device('03:00.0', { group: 5 }),
      device('03:00.1', { group: 6 }),
      device('04:00.0', { group: 7 }),
      device('04:00.1', { group: 8 }),
    ])
    const devices = '{ a: { class: nic, card: q, port: 4 }, b: { class: nic, card: q, port: 1 } }'
    expect(planText(vms(devices), quad).assignments.map((a) => a.address)).toEqual([
      at('04:00.1'),
      at('03:00.0'),
    ])
  })
})
