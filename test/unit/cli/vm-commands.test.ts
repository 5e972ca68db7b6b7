/**
 * up, status, verify and down as a user meets them, with a stand-in for QEMU whose guest does what a test
 * needs.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { downSchema } from '../../../src/api/down.ts'
import { statusSchema } from '../../../src/api/status.ts'
import { upSchema } from '../../../src/api/up.ts'
import { verifySchema } from '../../../src/api/verify.ts'
import { runDown } from '../../../src/cli/commands/down.ts'
import { runStatus } from '../../../src/cli/commands/status.ts'
import { runUp } from '../../../src/cli/commands/up.ts'
import { runVerify } from '../../../src/cli/commands/verify.ts'
import { engine, runningVms } from '../../../src/engines/engines.ts'
import { documentOf } from '../../support/documents.ts'
import { hostInForce, record, spec, type InForce } from '../../support/in-force.ts'
import { standInQemu, type Behaviour } from '../../support/stand-in-qemu.ts'

let host: InForce
const path = process.env['PATH'] ?? ''
beforeEach(() => {
  host = hostInForce()
  const programs = join(host.root, 'programs')
  fs.mkdirSync(programs)
  process.env['PATH'] = `${programs}:${path}`
})
afterEach(async () => {
  for (const vm of runningVms(host.system)) await engine.stop(host.system, vm, 0)
  process.env['PATH'] = path
  host.end()
})

const guest = (behaviour: Behaviour = {}) => standInQemu(join(host.root, 'programs'), behaviour)
const writeSpec = (text: string) => fs.writeFileSync(join(host.root, 'root/home.yaml'), text)
const names = () => runningVms(host.system).map(({ name }) => name)

const port = (number: number, link: number) =>
  `device 0000:01:00.${number} vendor=8086 device=10d3 class=020000 driver=e1000e ` +
  `interface=eth${number} mac=52:54:00:00:00:0${number + 1} link=${link}`
const ports = [port(0, 1), port(1, 0)]
/** As QEMU tells it: below the root port that the devices sit on. */
const places = [
  {
    ...{ bus: 0, slot: 1, function: 0, qdev_id: 'port1' },
    pci_bridge: {
      devices: [
        { bus: 1, slot: 0, function: 0, qdev_id: 'role-wan' },
        { bus: 1, slot: 0, function: 1, qdev_id: 'role-lan' },
      ],
    },
  },
]

describe('handover up', () => {
  it('starts all VMs of the plan in their order, and nothing the second time', async () => {
    guest()
    const first = await host.run(runUp, [], {})
    expect(first.code).toBe(0)
    const [starts, runs, next] = first.out.split('\n')
    expect(starts).toBe('firewall starts with wan 0000:01:00.0, lan 0000:01:00.1')
    expect(runs).toMatch(/^firewall runs under software emulation \(.*\)$/)
    expect(next).toBe('media starts with disks 0000:02:00.0')
    expect(names()).toEqual(['firewall', 'media'])
    expect((await host.run(runUp, [], {})).out).toBe('firewall runs already\nmedia runs already\n')
  })

  it('starts what the one asked for needs, and tells it as JSON', async () => {
    guest()
    const { out } = await host.run(runUp, ['media'], { json: true })
    const { events } = documentOf(upSchema, out)
    expect(events.map(({ kind, vm }) => `${kind} ${vm}`)).toEqual([
      'starting firewall',
      'started firewall',
      'starting media',
      'started media',
    ])
  })

  it('does not start a VM whose device is not as the plan left it, and starts the others', async () => {
    guest()
    fs.rmSync(join(host.root, 'sys/bus/pci/devices/0000:02:00.0/driver'))
    await expect(host.run(runUp, [], {})).rejects.toThrow(
      /media was not started:\n {2}0000:02:00\.0: its driver is none, not vfio-pci/,
    )
    expect(names()).toEqual(['firewall'])
  })

  it('does not start a VM that needs one which cannot start', async () => {
    guest()
    for (const address of ['0000:01:00.0', '0000:02:00.0'])
      fs.rmSync(join(host.root, `sys/bus/pci/devices/${address}/driver`))
    await expect(host.run(runUp, [], {})).rejects.toThrow(
      /^the host is not as the plan in force left it; firewall was not started:\n {2}0000:01:00\.0: its driver is none, not vfio-pci$/,
    )
    expect(names()).toEqual([])
  })

  it('does not start a VM whose group has something of the host now, and names it', async () => {
    guest()
    const group = (members: readonly string[]) => {
      const folder = join(host.root, 'sys/bus/pci/devices/0000:02:00.0/iommu_group/devices')
      fs.rmSync(folder, { recursive: true, force: true })
      fs.mkdirSync(folder, { recursive: true })
      for (const member of members) fs.writeFileSync(join(folder, member), '')
    }
    const driver = (address: string, name: string) => {
      fs.mkdirSync(join(host.root, 'sys/bus/pci/devices', address), { recursive: true })
      fs.symlinkSync(
        `../../../../bus/pci/drivers/${name}`,
        join(host.root, 'sys/bus/pci/devices', address, 'driver'),
      )
    }
    driver('0000:00:1c.1', 'pcieport')
    driver('0000:03:00.0', 'nvme')
    fs.mkdirSync(join(host.root, 'sys/bus/pci/devices/0000:04:00.0'))
    group(['0000:02:00.0', '0000:03:00.0', '0000:00:1c.1', '0000:04:00.0'])
    await expect(host.run(runUp, [], {})).rejects.toThrow(
      /media was not started:\n {2}0000:02:00\.0: its IOMMU group has 0000:03:00\.0, too, which nvme drives for the host$/,
    )
    group(['0000:02:00.0', '0000:01:00.1'])
    await expect(host.run(runUp, [], {})).rejects.toThrow('its IOMMU group has 0000:01:00.1 of firewall, too')
    expect(names()).toEqual(['firewall'])
    group(['0000:02:00.0', '0000:00:1c.1', '0000:04:00.0'])
    expect((await host.run(runUp, [], {})).code).toBe(0)
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('refuses a VM nobody knows', async () => {
    guest()
    await expect(host.run(runUp, ['firewal'], {})).rejects.toMatchObject({
      message: 'there is no VM firewal',
      help: expect.stringContaining('did you mean firewall?') as string,
    })
  })

  it('switches off a guest whose readiness never comes, and starts nothing that needs it', async () => {
    guest({ report: null, powersOff: false })
    writeSpec(
      spec.replace('    devices: { wan', '    ready: { report: true, within: 1 s }\n    devices: { wan'),
    )
    await expect(host.run(runUp, [], {})).rejects.toThrow(
      /^firewall did not answer within 1 s \(the guest reports; last: .*\) and was switched off$/,
    )
    expect(names()).toEqual([])
  })

  it.each([
    [
      "cannot set up guest memory 'ram': Cannot allocate memory",
      'The host has not enough free memory for this VM. What helps: give the VM less, or stop another one',
    ],
    [
      'vfio 0000:01:00.0: group 3 is not viable',
      'Another device of its IOMMU group still has a driver of the host. What helps: run handover plan: it ' +
        'takes the whole group along, or says what of it the host needs',
    ],
    ['a new kind of failure', 'the kernel may have reported more: journalctl -k -b | handover explain'],
  ])('explains why QEMU did not start: %s', async (words, help) => {
    const program = join(host.root, 'programs/qemu-system-x86_64')
    fs.writeFileSync(program, `#!/bin/sh\necho "qemu-system-x86_64: ${words}" >&2\nexit 1\n`, { mode: 0o755 })
    await expect(host.run(runUp, ['firewall'], {})).rejects.toMatchObject({
      message: `QEMU did not start firewall: qemu-system-x86_64: ${words}`,
      help,
    })
    expect(names()).toEqual([])
  })

  it('waits for a guest that answers on its report line', async () => {
    guest({ report: [] })
    writeSpec(
      spec.replace('    devices: { wan', '    ready: { report: true, within: 20 s }\n    devices: { wan'),
    )
    expect((await host.run(runUp, ['firewall'], {})).out).toContain(
      '✓ firewall is up: the guest answers on its report line',
    )
  })

  it('says the last words of a guest that ends while it is waited for', async () => {
    guest({ report: null, ends: true })
    writeSpec(
      spec.replace(
        '    devices: { wan',
        '    ready: { tcp: "127.0.0.1:1", within: 20 s }\n    devices: { wan',
      ),
    )
    await expect(host.run(runUp, ['firewall'], {})).rejects.toMatchObject({
      message: 'firewall ended before it answered',
      help: expect.stringContaining('Kernel panic - not syncing') as string,
    })
    expect(names()).toEqual([])
  })

  it('does not wait with --no-wait', async () => {
    guest({ report: null })
    writeSpec(
      spec.replace('    devices: { wan', '    ready: { report: true, within: 30 s }\n    devices: { wan'),
    )
    expect(await host.run(runUp, ['firewall'], { wait: false })).toMatchObject({ code: 0 })
    expect(names()).toEqual(['firewall'])
  })
})

describe('handover status', () => {
  it('shows what is planned, and that none of it runs', async () => {
    expect(await host.run(runStatus, [], {})).toEqual({
      code: 0,
      out:
        'firewall  stopped\n  devices: wan 0000:01:00.0, lan 0000:01:00.1\n' +
        'media  stopped\n  devices: disks 0000:02:00.0\n',
      err: '',
    })
    const { vms } = documentOf(statusSchema, (await host.run(runStatus, [], { json: true })).out)
    expect(vms[1]).toEqual({
      ...{ schema: 1, name: 'media', state: 'stopped', lastLine: '' },
      functions: [{ role: 'disks', address: '0000:02:00.0' }],
    })
  })

  it('says what runs, with which devices, and what its console said last', async () => {
    guest()
    await host.run(runUp, ['firewall'], {})
    fs.writeFileSync(
      join(host.root, 'run/handover/vm/firewall/serial.log'),
      'booting\n\u001b[31mlogin: \u0007\n',
    )
    const { out } = await host.run(runStatus, [], {})
    expect(out).toMatch(
      /^firewall {2}running since \d{4}-\d\d-\d\dT[\d:]+Z, process \d+, software emulation\n/,
    )
    expect(out).toContain('  devices: wan 0000:01:00.0, lan 0000:01:00.1\n  console: [31mlogin:')
    const { vms } = documentOf(statusSchema, (await host.run(runStatus, [], { json: true })).out)
    expect(vms).toMatchObject([
      {
        ...{ name: 'firewall', state: 'running' },
        consoleSocket: join(host.root, 'run/handover/vm/firewall/serial.sock'),
      },
      { name: 'media', state: 'stopped' },
    ])
  })

  it('does not take a folder whose process has gone for a VM', async () => {
    const folder = join(host.root, 'run/handover/vm/ghost')
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(join(folder, 'vm.json'), JSON.stringify({ schema: 1, name: 'ghost', pid: process.pid }))
    const { vms } = documentOf(statusSchema, (await host.run(runStatus, [], { json: true })).out)
    expect(vms.map(({ name, state }) => `${name} ${state}`)).toEqual(['firewall stopped', 'media stopped'])
  })
})

describe('handover verify', () => {
  const certificate = () =>
    JSON.parse(
      fs.readFileSync(join(host.root, 'var/lib/handover/certificates/firewall.json'), 'utf8'),
    ) as unknown
  const verify = async (report: readonly string[] | null) => {
    guest({ report, places })
    await host.run(runUp, ['firewall'], {})
    return await host.run(runVerify, ['firewall'], {})
  }

  it('agrees with a guest that has what was promised, and writes it down', async () => {
    const { code, out } = await verify(['system linux 6.1', ...ports])
    expect(out).toContain('firewall  (linux 6.1)')
    expect(out).toContain('2 of 2 devices are inside their guests what was promised')
    expect(code).toBe(0)
    expect(certificate()).toMatchObject({
      schema: 1,
      vm: 'firewall',
      roles: [{ match: true }, { match: true }],
    })
  })

  it('disagrees where the ports are swapped', async () => {
    const swapped = ports.map((line, index) => line.replace(/:0[12] link/, `:0${2 - index} link`))
    const { code, out } = await verify(swapped)
    expect(code).toBe(1)
    expect(out).toContain('macs is 52:54:00:00:00:02, promised was 52:54:00:00:00:01')
    expect(out).toContain('0 of 2 devices')
    expect(certificate()).toMatchObject({ roles: [{ match: false }, { match: false }] })
  })

  it('disagrees where one device is another, has another driver, or is missing', async () => {
    const [wan = ''] = ports
    const { code, out } = await verify([wan.replace('driver=e1000e', 'driver=igb').replace('10d3', '1533')])
    expect(code).toBe(1)
    expect(out).toContain('deviceId is 1533, promised was 10d3')
    expect(out).toContain('driver is igb, promised was e1000e')
    expect(out).toContain('the guest does not see it')
  })

  it('says what is wrong where a guest does not run', async () => {
    guest()
    const { code, out } = await host.run(runVerify, ['media'], {})
    expect(code).toBe(1)
    expect(out).toMatch(/^media\n {2}✗ .+\n {2}✗ disks/)
  })

  it('prints one JSON document', async () => {
    guest({ report: ports, places })
    await host.run(runUp, ['firewall'], {})
    const { code, out } = await host.run(runVerify, [], { json: true })
    expect(code).toBe(1)
    expect(documentOf(verifySchema, out)).toMatchObject({
      ...{ schema: 1, match: false },
      vms: [
        {
          vm: 'firewall',
          problem: null,
          roles: [{ role: 'wan', match: true, guestAddress: '0000:01:00.0' }, {}],
        },
        { vm: 'media', report: null, roles: [{ role: 'disks', match: false, guestAddress: null }] },
      ],
    })
  })

  it('is no success where the plan gives nothing to anybody', async () => {
    host.end()
    host = hostInForce({ ...record, assignments: [] })
    const { code, out } = await host.run(runVerify, [], {})
    expect([code, out.split('\n').at(-2)]).toEqual([
      1,
      '0 of 0 devices are inside their guests what was promised',
    ])
  })
})

describe('handover down', () => {
  it('stops the VM started last first', async () => {
    guest()
    await host.run(runUp, [], {})
    const { code, out } = await host.run(runDown, [], {})
    expect(out).toMatch(/^media powered off \(.*\)\nfirewall powered off \(.*\)\n$/)
    expect([code, names()]).toEqual([0, []])
    expect((await host.run(runDown, [], {})).out).toBe('no VM runs\n')
  })

  it('switches off a guest that does not go, and only the one named', async () => {
    guest({ powersOff: false })
    await host.run(runUp, [], {})
    expect((await host.run(runDown, ['media'], { timeout: '0.2' })).out).toMatch(/^media switched off/)
    expect(names()).toEqual(['firewall'])
  })

  it('prints one JSON document', async () => {
    guest()
    await host.run(runUp, ['firewall'], {})
    const { out } = await host.run(runDown, [], { json: true })
    expect(documentOf(downSchema, out).vms).toMatchObject([{ vm: 'firewall', how: 'powered off' }])
    expect(documentOf(downSchema, (await host.run(runDown, [], { json: true })).out)).toEqual({
      schema: 1,
      vms: [],
    })
  })

  it('refuses names nobody knows, and says who runs', async () => {
    await expect(host.run(runDown, ['medai'], {})).rejects.toThrow('there is no VM medai')
    await expect(host.run(runDown, ['media'], {})).rejects.toMatchObject({
      message: 'media does not run',
      help: 'running: none',
    })
  })
})
