/**
 * Virtual functions from the spec to a guest, on a sysfs-shaped tree with the kernel's part played: made, set
 * up, given away, made again at the next boot by the script in a real shell, and taken back.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { readLastApplied } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { AppError } from '../../src/base/errors.ts'
import { readHost } from '../../src/host/read/read-host.ts'
import { plan } from '../../src/plan/plan.ts'
import type { Spec } from '../../src/spec/spec.ts'
import type { System } from '../../src/machine/system.ts'
import { checkFunctions } from '../../src/run/virtual-functions.ts'
import { up } from '../../src/run/up.ts'
import { fakeKernel, fakeSysfs, put, setNumVfs, tempTree, type FakeDevice } from '../support/fake-kernel.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'
import { specOf } from '../support/spec.ts'

const card: FakeDevice = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  vendor: '8086',
  device: '10c9',
  classCode: '020000',
  driver: 'igb',
  mac: '52:54:00:00:01:00',
  port: 'eth1',
  group: 5,
  sriov: { total: 7, device: '10ca' },
}
const port: FakeDevice = {
  address: '0000:00:1c.0',
  place: 'pci0000:00/0000:00:1c.0',
  vendor: '8086',
  device: '3420',
  classCode: '060400',
  driver: 'pcieport',
  group: 4,
}
const drivers = { igb: ['8086:10c9'], pcieport: ['8086:3420'], 'vfio-pci': [] }
const text = `version: 1
host:
  virtual-functions:
    lan:
      physical-function: { mac: '52:54:00:00:01:00' }
      count: 2
      functions: [{ mac: '52:54:00:aa:00:00', vlan: 20 }, { vlan: 30, trust: true }]
vms:
  web:
    memory: 1 GiB
    devices:
      net: { virtual-function: lan, number: 1 }
`

let root = ''
let before = new Map<string, TreeEntry>()
const ours = ['/var/lib/handover', '/run', '/proc', '/dev', '/bin-fake']

function buildSys(): void {
  fs.rmSync(join(root, 'sys'), { recursive: true, force: true })
  fakeSysfs(root, [port, card], drivers)
  fs.mkdirSync(join(root, 'sys/class/net'), { recursive: true })
  fs.symlinkSync(`../../devices/${card.place}/net/eth1`, join(root, 'sys/class/net/eth1'))
  for (const group of [4, 5, 40, 41]) put(root, `/sys/kernel/iommu_groups/${group}/type`, 'DMA\n')
  put(root, '/sys/class/iommu/dmar0/address', '1\n')
}

beforeEach(() => {
  root = tempTree()
  buildSys()
  put(root, '/proc/cmdline', 'quiet intel_iommu=on\n')
  put(root, '/proc/cpuinfo', 'vendor_id : GenuineIntel\nflags : vmx\n')
  put(root, '/proc/meminfo', 'MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n')
  put(root, '/proc/sys/kernel/random/boot_id', 'boot-1\n')
  put(root, '/dev/kmsg', '')
  for (const path of ['etc/udev/rules.d', 'run/systemd/system', 'var/lib'])
    fs.mkdirSync(join(root, path), { recursive: true })
  before = snapshotTree(root, ours)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const system = (): System => ({
  ...fakeKernel(root, drivers),
  lock: () => ({ ok: true, release: () => undefined }),
})
const changed = () => differences(before, snapshotTree(root, ours))
function spec(): Spec {
  return specOf(text)
}
const planNow = () => plan(readHost(system()), spec())
const kindsOf = (planned: ReturnType<typeof plan>) =>
  planned.steps.map((step) =>
    step.kind === 'vf' ? `vf ${step.number}` : 'path' in step ? step.path.split('/').at(-1) : step.kind,
  )

async function applyTwice(): Promise<void> {
  for (const _ of [1, 2]) expect(await apply(planNow(), system())).toMatchObject({ outcome: 'applied' })
}

describe('virtual functions', () => {
  it('are made by the first apply, set up and given away by the second, and then there is nothing to do', async () => {
    const first = planNow()
    expect(first.findings.filter(({ severity }) => severity !== 'note')).toEqual([])
    expect(first.again).toBe(true)
    expect(kindsOf(first)).toEqual([
      'sriov_drivers_autoprobe',
      'sriov_numvfs',
      'virtual-functions',
      'make-virtual-functions',
      '11-handover-virtual-functions.rules',
      'handover.conf',
    ])
    await apply(first, system())
    const second = planNow()
    expect(second.again).toBeUndefined()
    expect(kindsOf(second)).toEqual(['vf 0', 'vf 1', 'driver'])
    await apply(second, system())
    expect(planNow().steps).toEqual([])
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
    expect(changed()).toEqual([])
  })

  it('keep a VM from starting while one of its roles waits', async () => {
    await apply(planNow(), system())
    const record = readLastApplied(system())
    if (record === undefined) throw new Error('nothing applied')
    const request = { spec: spec(), record, wanted: [], wait: false }
    await expect(up(system(), request, () => undefined)).rejects.toThrow('web has no device for net yet')
  })

  it('keep a VM from starting when its function is in another VLAN than wanted', async () => {
    await applyTwice()
    const record = readLastApplied(system())
    if (record === undefined) throw new Error('nothing applied')
    expect(checkFunctions(system(), spec(), record)).toEqual([])
    await system().exec(['ip', 'link', 'set', 'dev', 'eth1', 'vf', '1', 'vlan', '0'])
    expect(checkFunctions(system(), spec(), record)).toEqual([
      '0000:01:10.1: it has vlan 0 trust on, the spec wants vlan 30 trust on',
    ])
    expect(kindsOf(planNow())).toEqual(['vf 1'])
  })

  it.each(['EBUSY: Device or resource busy', 'ENOSPC: No space left on device'])(
    'are taken back when the kernel refuses to make them (%s)',
    async (said) => {
      const kernel = system()
      const refusing: System = {
        ...kernel,
        writeAttributeWithin: (path, value, seconds) =>
          path.endsWith('/sriov_numvfs') && value !== '0'
            ? Promise.reject(new AppError(`the kernel refused "2" for ${path}: ${said}`))
            : kernel.writeAttributeWithin(path, value, seconds),
      }
      expect(await apply(planNow(), refusing)).toMatchObject({
        outcome: 'restored',
        cause: expect.stringContaining(said),
        help: expect.stringContaining('dmesg | grep 0000:01:00.0'),
      })
      expect(changed()).toEqual([])
    },
  )

  it('are taken back when the card makes fewer', async () => {
    const kernel = system()
    const meagre: System = {
      ...kernel,
      writeAttributeWithin: (path, value, seconds) =>
        kernel.writeAttributeWithin(
          path,
          path.endsWith('/sriov_numvfs') && value === '2' ? '1' : value,
          seconds,
        ),
    }
    expect(await apply(planNow(), meagre)).toMatchObject({
      outcome: 'restored',
      cause: expect.stringContaining('1 of 2'),
    })
    expect(changed()).toEqual([])
  })

  it('are not removed under a virtual machine that has one', async () => {
    await applyTwice()
    put(root, '/proc/77/comm', 'qemu-system-x86\n')
    fs.mkdirSync(join(root, 'proc/77/fd'))
    fs.symlinkSync('/dev/vfio/41', join(root, 'proc/77/fd/9'))
    await expect(rollback(system(), '0001')).rejects.toThrow(
      '0000:01:10.1 is in use by process 77 (qemu-system-x86)',
    )
  })

  it('are not removed under the host, which may have its network on one', async () => {
    await applyTwice()
    fs.mkdirSync(join(root, 'sys/bus/pci/drivers/igbvf'))
    fs.symlinkSync(
      '../../../../bus/pci/drivers/igbvf',
      join(root, 'sys/devices/pci0000:00/0000:00:1c.0/0000:01:10.0/driver'),
    )
    await expect(rollback(system(), '0001')).rejects.toThrow(
      '0000:01:10.0 has driver igbvf, so the host may use it',
    )
  })

  it('may be removed while one is given and not used, and what was done to them is gone with them', async () => {
    await applyTwice()
    expect(await rollback(system(), '0001')).toMatchObject({ outcome: 'rolled-back', leftovers: [] })
    expect(await rollback(system(), '0002')).toMatchObject({ outcome: 'rolled-back', leftovers: [] })
    expect(changed()).toEqual([])
  })

  it('that no VM asks for are set up by a second apply all the same', async () => {
    const idle = { ...spec(), vms: [] }
    const first = plan(readHost(system()), idle)
    expect(first.again).toBe(true)
    await apply(first, system())
    expect(kindsOf(plan(readHost(system()), idle))).toEqual(['vf 0', 'vf 1'])
    const plain = { ...idle, host: { ...idle.host, virtualFunctions: [] } }
    expect(plan(readHost(system()), plain).steps.map((step) => step.kind === 'file' && step.after)).toEqual([
      null,
      null,
      null,
    ])
  })

  it('of another card in that place are never made', async () => {
    const planned = planNow()
    put(root, `/sys/devices/${card.place}/device`, '0x1521\n')
    await expect(apply(planned, system())).rejects.toThrow('deviceId is 1521, recorded is 10c9')
  })
})

/**
 * The next boot: a fresh kernel, udev's rule, the script in a real shell. The tree makes the functions when
 * the number is written.
 */
function boot(): string {
  buildSys()
  put(root, '/proc/sys/kernel/random/boot_id', 'boot-2\n')
  put(root, '/bin-fake/ip', `#!/bin/sh\necho "$*" >> '${root}/bin-fake/said'\n`, 0o755)
  put(root, '/bin-fake/said', '')
  // Links are there before the number says so: a shell's write cannot make the fake kernel answer.
  setNumVfs(root, card.address, 2)
  put(root, `/sys/devices/${card.place}/sriov_numvfs`, '0\n')
  const env = { PATH: `${join(root, 'bin-fake')}:${process.env['PATH'] ?? ''}`, HANDOVER_ROOT: root }
  execFileSync('sh', [join(root, 'etc/handover/make-virtual-functions'), card.address], {
    env,
    stdio: 'pipe',
  })
  return fs.readFileSync(join(root, 'bin-fake/said'), 'utf8')
}
const attribute = (name: string) =>
  fs.readFileSync(join(root, 'sys/devices', card.place, name), 'utf8').trim()
const said = () => fs.readFileSync(join(root, 'dev/kmsg'), 'utf8')

describe('at the next boot virtual functions', () => {
  beforeEach(applyTwice)

  it('are handed to the early binding only after they are set up', () => {
    put(root, '/etc/handover/bind', `#!/bin/sh\necho "bind $1" >> '${root}/bin-fake/said'\n`, 0o755)
    expect(boot().split('\n').slice(2, 4)).toEqual(['bind 0000:01:10.0', 'bind 0000:01:10.1'])
  })

  it('are made and set up in the words of ip, and the plan is empty again', async () => {
    const commands = boot()
    expect([attribute('sriov_numvfs'), attribute('sriov_drivers_autoprobe')]).toEqual(['2', '0'])
    expect(commands.split('\n')).toEqual([
      'link set dev eth1 vf 0 mac 52:54:00:aa:00:00 vlan 20',
      'link set dev eth1 vf 1 vlan 30 trust on',
      '',
    ])
    for (const line of commands.trim().split('\n')) await system().exec(['ip', ...line.split(' ')])
    expect(kindsOf(planNow())).toEqual(['driver'])
  })

  it.each([
    [
      'another card is in the place',
      () => put(root, `/sys/devices/${card.place}/device`, '0x1521\n'),
      /not the recorded/,
    ],
    ['they are switched off for this boot', () => put(root, '/proc/cmdline', 'quiet handover=off\n'), /^$/],
    [
      'the driver is not there yet',
      () => fs.unlinkSync(join(root, 'sys/devices', card.place, 'driver')),
      /^$/,
    ],
    [
      'another number is there',
      () => put(root, `/sys/devices/${card.place}/sriov_numvfs`, '4\n'),
      /were left alone/,
    ],
    ['they are there already', () => put(root, `/sys/devices/${card.place}/sriov_numvfs`, '2\n'), /^$/],
  ])('are not made when %s', (_, change, words) => {
    buildSys()
    change()
    const number = attribute('sriov_numvfs')
    const env = { PATH: process.env['PATH'] ?? '', HANDOVER_ROOT: root }
    execFileSync('sh', [join(root, 'etc/handover/make-virtual-functions')], { env, stdio: 'pipe' })
    expect(attribute('sriov_numvfs')).toBe(number)
    expect(said()).toMatch(words)
  })
})
