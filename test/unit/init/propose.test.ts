import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { propose, type Circumstances } from '../../../src/init/propose.ts'
import { wishes, type Wish } from '../../../src/init/wishes.ts'
import { plan } from '../../../src/plan/plan.ts'
import { hasErrors } from '../../../src/base/finding.ts'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { at, device, host, need, rootPort } from '../../support/host-builder.ts'

const here: Circumstances = { conditional: false, standIns: false }
const of = (machine: Host, asked: readonly Wish[] = wishes, given = here) => propose(machine, asked, given)

/** The host's own disk, network port and screen, and beside them a pair of ports, a controller and a card. */
function box(more: Partial<Host> = {}): Host {
  return host(
    [
      device('00:02.0', { kind: 'gpu', group: 1, bootVga: true }),
      device('00:1f.2', { kind: 'storage', group: 2, disks: [{ name: 'sda', serial: 'HOST-1' }] }),
      device('00:1f.6', { kind: 'nic', group: 3 }),
      rootPort('00:1c.0', 1, { group: 4 }),
      device('01:00.0', { kind: 'nic', group: 5, networkInterfaces: [port('eth1', 1)] }),
      device('01:00.1', { kind: 'nic', group: 6, networkInterfaces: [port('eth2', 2)] }),
      rootPort('00:1c.1', 2, { group: 7 }),
      device('02:00.0', { kind: 'storage', group: 8, disks: [{ name: 'sdb', serial: 'TANK-1' }] }),
      rootPort('00:01.0', 3, { group: 9 }),
      device('03:00.0', { kind: 'gpu', group: 10, bootVga: false }),
    ],
    {
      needs: [
        need('00:02.0', 'boot display', []),
        need('00:1f.2', '/', ['sda1', 'sda']),
        need('00:1f.6', 'default route', ['eth0'], { kind: 'network', isDefaultRoute: true }),
      ],
      ...more,
    },
  )
}
const port = (name: string, last: number) => ({ name, permanentMac: `52:54:00:00:00:0${last}` })
const addresses = ({ assignments }: ReturnType<typeof propose>) =>
  assignments.map(({ vm, role, address }) => `${vm}/${role} ${address}`)

describe('a proposal', () => {
  it('gives a pair of ports, the controller with the disks, and the card that is no screen of the host', () => {
    const proposal = of(box())
    expect(addresses(proposal)).toEqual([
      'firewall/wan 0000:01:00.0',
      'firewall/lan 0000:01:00.1',
      'media/disks 0000:02:00.0',
      'workstation/screen 0000:03:00.0',
    ])
    expect(proposal.refused).toEqual([])
  })

  it('is a spec whose plan has no error and names each device by what it carries', () => {
    const { text = '' } = of(box())
    const { spec, findings } = parseSpec(text, 'home.yaml')
    expect(findings).toEqual([])
    if (spec === undefined) throw new Error('no spec')
    expect(hasErrors(plan(box(), spec).findings)).toBe(false)
    expect(spec.vms.flatMap(({ devices }) => devices.map(({ select }) => select))).toMatchObject([
      { mac: '52:54:00:00:00:01' },
      { mac: '52:54:00:00:00:02' },
      { disk: 'TANK-1' },
      { class: 'gpu' },
    ])
    expect(spec.vms.map(({ name, needs }) => [name, needs])).toEqual([
      ['firewall', []],
      ['media', ['firewall']],
      ['workstation', ['firewall']],
    ])
  })

  it('never gives what the host needs, and names it as what is in the way', () => {
    const bare = host(
      [device('00:1f.2', { kind: 'storage', group: 2 }), device('00:1f.6', { kind: 'nic', group: 3 })],
      { needs: [need('00:1f.2', '/', ['sda']), need('00:1f.6', 'default route', ['eth0'])] },
    )
    const { assignments, refused, text } = of(bare)
    expect([assignments, text]).toEqual([[], undefined])
    expect(refused.map(({ wish, reasons }) => [wish, reasons.flatMap(({ about = [] }) => about)])).toEqual([
      ['firewall', expect.arrayContaining([at('00:1f.6')])],
      ['media', expect.arrayContaining([at('00:1f.2')])],
      ['workstation', []],
    ])
  })

  it('leaves a listing of another machine its last port and its last controller', () => {
    const listing = host(
      [device('00:1f.2', { kind: 'storage', group: 2 }), device('00:1f.6', { kind: 'nic', group: 3 })],
      { source: { kind: 'lspci', name: 'x' }, unreadNeeds: ['disk', 'network'] },
    )
    const { assignments, refused } = of(listing, ['media'], { conditional: true, standIns: false })
    expect(assignments).toEqual([])
    expect(refused[0]?.reasons).toMatchObject([{ code: 'host-disk', about: [at('00:1f.2')] }])
  })

  it('fits the memory and the processors of the machine', () => {
    const small = box({ memory: { totalMiB: 4096 }, cpu: { ...box().cpu, count: 1 } })
    const vms = parseSpec(of(small).text ?? '', 'home.yaml').spec?.vms ?? []
    expect(vms.map(({ cpus }) => cpus)).toEqual([1, 1, 1])
    expect(vms.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0)).toBeLessThanOrEqual(4096 - 1024)
  })

  it('shares the memory among the VMs that there will be', () => {
    const memory = { totalMiB: 1024 + 1536 }
    const devices = box().devices.filter(({ address }) => address !== at('03:00.0'))
    const vms = parseSpec(of({ ...box({ memory }), devices }).text ?? '', 'home.yaml').spec?.vms ?? []
    expect(vms.map(({ name, memoryMiB }) => [name, memoryMiB])).toEqual([
      ['firewall', 512],
      ['media', 1024],
    ])
  })

  it('stays one readable file whatever the devices are called', () => {
    const hostile = box()
    const devices = hostile.devices.map((one) => ({
      ...one,
      name: 'x\n  evil: { memory: 1 TiB }\u2028# "\u0007',
      ...(one.disks ? { disks: [{ name: 'sd\nz', serial: '- {"a": 1}\n#' }] } : {}),
    }))
    const { text = '' } = of({ ...hostile, devices }, ['media'])
    const { spec, findings } = parseSpec(text, 'home.yaml')
    expect(findings).toEqual([])
    expect(spec?.vms.map(({ name }) => name)).toEqual(['media'])
    expect(spec?.vms[0]?.devices[0]?.select).toEqual({ class: 'storage', path: '0000:00/1c.1/00.0' })
  })
})
