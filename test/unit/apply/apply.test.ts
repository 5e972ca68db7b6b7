import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../../src/apply/apply.ts'
import { readPath } from '../../../src/steps/check-identity.ts'
import { DriftError } from '../../../src/apply/guard.ts'
import { readJournals, readLastApplied } from '../../../src/apply/journal.ts'
import { rollback } from '../../../src/apply/rollback.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import type { Step } from '../../../src/steps/step.ts'
import {
  addDevice,
  address,
  fakeKernel,
  fakeSysfs,
  identityOf,
  put,
  tempTree,
  type FakeDevice,
} from '../../support/fake-kernel.ts'
import { nic as plainNic, planOf as plan, sata, toVfio } from '../../support/transactions.ts'

const nic: FakeDevice = { ...plainNic, mac: '52:54:00:00:00:01' }
const drivers = { e1000e: ['8086:10d3'], ahci: ['8086:2922'], 'vfio-pci': [] }

const planOf = (...steps: Step[]) => plan(steps)

let root = ''
beforeEach(() => {
  root = tempTree()
  fakeSysfs(root, [nic, sata], drivers)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const driverOf = (device: FakeDevice) => {
  const link = join(root, 'sys/devices', device.place, 'driver')
  return fs.lstatSync(link, { throwIfNoEntry: false }) ? fs.readlinkSync(link).split('/').at(-1) : null
}
const overrideOf = (device: FakeDevice) =>
  fs.readFileSync(join(root, 'sys/devices', device.place, 'driver_override'), 'utf8')

describe('apply of driver steps', () => {
  it('binds, journals, does nothing the second time, and rollback gives the devices back', async () => {
    const system = fakeKernel(root, drivers)
    const plan = planOf(toVfio(nic), toVfio(sata))
    expect(await apply(plan, system)).toEqual({ outcome: 'applied', id: '0001', needsReboot: false })
    expect([driverOf(nic), driverOf(sata), overrideOf(nic)]).toEqual(['vfio-pci', 'vfio-pci', 'vfio-pci\n'])
    expect(readLastApplied(system)?.steps).toEqual(plan.steps)
    expect(await apply(plan, system)).toEqual({ outcome: 'nothing-to-do' })
    expect(await rollback(system, undefined)).toEqual({ outcome: 'rolled-back', id: '0001', leftovers: [] })
    expect([driverOf(nic), driverOf(sata), overrideOf(nic)]).toEqual(['e1000e', 'ahci', '(null)\n'])
    expect(await rollback(system, '1')).toEqual({ outcome: 'nothing-to-do', id: '0001', leftovers: [] })
    expect(readLastApplied(system)).toBeUndefined()
  })

  it('records a spec that changed without steps, and a rollback brings the one before back in force', async () => {
    const system = fakeKernel(root, drivers)
    const of = (specText: string) => ({ specText, isSameSpec: (applied?: string) => applied === specText })
    await apply(planOf(toVfio(nic)), system, of('memory: 4 GiB'))
    expect(await apply(planOf(), system, of('memory: 4 GiB'))).toEqual({ outcome: 'nothing-to-do' })
    expect(await apply(planOf(), system, of('memory: 8 GiB'))).toMatchObject({
      outcome: 'applied',
      id: '0002',
    })
    expect(readLastApplied(system)).toMatchObject({ specText: 'memory: 8 GiB', steps: [] })
    expect(await rollback(system, undefined)).toEqual({ outcome: 'rolled-back', id: '0002', leftovers: [] })
    expect(readLastApplied(system)).toMatchObject({ id: '0001', specText: 'memory: 4 GiB' })
    expect(driverOf(nic)).toBe('vfio-pci')
  })

  it('remembers what a device on vfio-pci no longer shows', async () => {
    const system = fakeKernel(root, drivers)
    const wan = { vm: 'firewall', role: 'wan', address: address(nic.address), moved: null }
    const seen = identityOf(nic)
    const { macs, ...hidden } = seen
    await apply(
      { ...planOf(toVfio(nic)), assignments: [{ ...wan, identity: seen, hostDriver: 'e1000e', link: true }] },
      system,
    )
    const again = { ...planOf(), assignments: [{ ...wan, identity: hidden, hostDriver: 'vfio-pci' }] }
    expect(await apply(again, system)).toEqual({ outcome: 'nothing-to-do' })
    const renamed = {
      ...again,
      assignments: [{ ...wan, role: 'uplink', identity: hidden, hostDriver: 'vfio-pci' }],
    }
    expect(await apply(renamed, system)).toMatchObject({ outcome: 'applied', id: '0002' })
    expect(readLastApplied(system)?.assignments).toEqual([
      { ...wan, role: 'uplink', identity: { ...hidden, macs }, hostDriver: 'e1000e', link: true },
    ])
  })

  it('binds nothing when another device sits at the address, and has touched nothing', async () => {
    const system = fakeKernel(root, drivers)
    fs.writeFileSync(join(root, 'sys/devices', nic.place, 'net/eth0/address'), '52:54:00:00:00:99\n')
    const error = await apply(planOf(toVfio(sata), toVfio(nic)), system).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(DriftError)
    expect((error as DriftError).differences).toEqual([
      '0000:01:00.0: macs is 52:54:00:00:00:99, recorded is 52:54:00:00:00:01',
    ])
    expect((error as DriftError).exitCode).toBe(3)
    expect([driverOf(nic), driverOf(sata)]).toEqual(['e1000e', 'ahci'])
    expect(readJournals(system)).toEqual([])
  })

  it('stops on drift: a third driver is neither before nor after', async () => {
    const system = fakeKernel(root, { ...drivers, other: [] })
    const link = join(root, 'sys/devices', sata.place, 'driver')
    fs.unlinkSync(link)
    fs.symlinkSync('/sys/bus/pci/drivers/other', link)
    await expect(apply(planOf(toVfio(nic), toVfio(sata)), system)).rejects.toThrow(
      '0000:02:00.0 has driver other, expected driver ahci',
    )
    expect(driverOf(nic)).toBe('e1000e')
  })

  it('takes the first device back when the second does not bind', async () => {
    const system = fakeKernel(
      root,
      drivers,
      (device, driver) => !(device === sata.address && driver === 'vfio-pci'),
    )
    const result = await apply(planOf(toVfio(nic), toVfio(sata)), system)
    expect(result).toMatchObject({ outcome: 'restored', id: '0001' })
    expect(result).toHaveProperty(
      'cause',
      expect.stringContaining('0000:02:00.0 has no driver (override vfio-pci) after binding'),
    )
    expect([driverOf(nic), driverOf(sata), overrideOf(sata)]).toEqual(['e1000e', 'ahci', '(null)\n'])
    expect(readJournals(system)).toMatchObject([{ ok: true, journal: { status: 'restored' } }])
  })

  it('says so when the way back is blocked, too', async () => {
    const system = fakeKernel(root, drivers, (device) => device !== sata.address)
    const result = await apply(planOf(toVfio(nic), toVfio(sata)), system)
    expect(result).toMatchObject({
      outcome: 'not-restored',
      leftovers: [expect.stringContaining('0000:02:00.0 has no driver')],
    })
    expect(driverOf(nic)).toBe('e1000e')
  })
})

describe('rollback', () => {
  it('refuses where someone else changed the driver since, and shows it', async () => {
    const system = fakeKernel(root, { ...drivers, other: [] })
    await apply(planOf(toVfio(nic)), system)
    const link = join(root, 'sys/devices', nic.place, 'driver')
    fs.unlinkSync(link)
    fs.symlinkSync('/sys/bus/pci/drivers/other', link)
    await expect(rollback(system, undefined)).rejects.toThrow('0000:01:00.0 has driver other')
  })

  it('does not touch a device that another one replaced', async () => {
    const system = fakeKernel(root, drivers)
    await apply(planOf(toVfio(nic)), system)
    fs.rmSync(join(root, 'sys/devices', nic.place), { recursive: true })
    fs.rmSync(join(root, `sys/bus/pci/devices/${nic.address}`))
    addDevice(root, { ...nic, device: '1572', driver: null })
    const result = await rollback(system, undefined)
    expect(result).toMatchObject({ outcome: 'rollback-incomplete' })
    expect(result.leftovers[0]).toContain('deviceId is 1572, recorded is 10d3')
  })

  it('undoes an apply that was killed between override and bind', async () => {
    const system = fakeKernel(root, drivers)
    const killed = { ...system, sleep: () => new Promise<void>(() => undefined) }
    let calls = 0
    const reached = new Promise<void>((done) => {
      killed.writeAttributeWithin = (path, text, seconds) => {
        calls += 1
        if (calls < 3) return system.writeAttributeWithin(path, text, seconds)
        done()
        return new Promise<void>(() => undefined)
      }
    })
    void apply(planOf(toVfio(nic)), killed)
    await reached
    expect([driverOf(nic), overrideOf(nic)]).toEqual([null, 'vfio-pci\n'])
    fs.rmSync(join(root, 'run/handover/lock'))
    await expect(apply(planOf(toVfio(nic)), system)).rejects.toThrow('was interrupted half-way')
    expect(await rollback(system, undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect([driverOf(nic), overrideOf(nic)]).toEqual(['e1000e', '(null)\n'])
  })

  it('waits for the virtual machine to end before it unbinds', async () => {
    const system = fakeKernel(root, drivers)
    fs.symlinkSync('/sys/kernel/iommu_groups/7', join(root, 'sys/devices', nic.place, 'iommu_group'))
    await apply(planOf(toVfio(nic)), system)
    put(root, '/proc/4711/comm', 'qemu-system-x86\n')
    fs.mkdirSync(join(root, 'proc/4711/fd'))
    fs.symlinkSync('/dev/vfio/7', join(root, 'proc/4711/fd/12'))
    await expect(rollback(system, undefined)).rejects.toThrow(
      '0000:01:00.0 is in use by process 4711 (qemu-system-x86)',
    )
    expect(driverOf(nic)).toBe('vfio-pci')
  })
})

describe('identities', () => {
  it('of devices below a VMD and of virtual functions are read as the host reader states them', async () => {
    const vmd: FakeDevice = {
      ...nic,
      address: '10000:e1:00.0',
      place: 'pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:1b.0/10000:e1:00.0',
    }
    const vf: FakeDevice = {
      ...nic,
      address: '0000:01:10.0',
      place: 'pci0000:00/0000:00:1c.0/0000:01:10.0',
      device: '10ed',
    }
    fakeSysfs(root, [vmd, vf], {})
    fs.symlinkSync('../0000:01:10.0', join(root, 'sys/devices', nic.place, 'virtfn0'))
    fs.symlinkSync('../0000:01:00.0', join(root, 'sys/devices', vf.place, 'physfn'))
    const system = fakeKernel(root, drivers)
    const host = readHost(system)
    const paths = [vmd, vf].map(
      ({ address: at }) => host.devices.find((device) => device.address === at)?.path,
    )
    expect(paths[0]).toBe('0000:00/0e.0/10000:e0/1b.0/00.0')
    expect([vmd, vf].map((device) => readPath(system, address(device.address)))).toEqual([
      paths[0],
      '0000:00/1c.0/00.0/vf0',
    ])
    const identity = { ...identityOf(vf), path: '0000:00/1c.0/00.0/vf0' }
    const step = toVfio(vf)
    expect(await apply(planOf({ ...step, identity } as Step), system)).toMatchObject({ outcome: 'applied' })
  })
})

describe('other kinds of steps', () => {
  it('edits, creates and removes files, writes attributes, saves and restores a command’s outputs', async () => {
    const system = fakeKernel(root, drivers)
    put(root, '/etc/a', 'old a\n', 0o600)
    put(root, '/etc/gone', 'bye\n')
    put(root, '/sys/module/x/parameters/y', '0\n')
    const out = join(root, 'boot/grub.cfg')
    put(root, '/boot/grub.cfg', 'generated once\n', 0o444)
    const steps: Step[] = [
      {
        kind: 'file',
        path: '/etc/a',
        before: { text: 'old a\n', mode: 0o600 },
        after: { text: 'new a\n', mode: 0o640 },
        why: '',
      },
      { kind: 'file', path: '/etc/b', before: null, after: { text: 'b\n', mode: 0o644 }, why: '' },
      { kind: 'file', path: '/etc/gone', before: { text: 'bye\n', mode: 0o644 }, after: null, why: '' },
      { kind: 'sysfs', path: '/sys/module/x/parameters/y', before: '0', after: '1', why: '' },
      {
        kind: 'command',
        argv: ['sh', '-c', `chmod u+w ${out}; echo twice > ${out}`],
        outputs: ['/boot/grub.cfg'],
        why: '',
      },
    ]
    expect(await apply(planOf(...steps), system)).toMatchObject({ outcome: 'applied' })
    expect(fs.readFileSync(join(root, 'etc/a'), 'utf8')).toBe('new a\n')
    expect(fs.existsSync(join(root, 'etc/gone'))).toBe(false)
    expect(fs.readFileSync(out, 'utf8')).toBe('twice\n')
    expect(await rollback(system, undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(fs.readFileSync(join(root, 'etc/a'), 'utf8')).toBe('old a\n')
    expect(fs.statSync(join(root, 'etc/a')).mode & 0o7777).toBe(0o600)
    expect(fs.existsSync(join(root, 'etc/b'))).toBe(false)
    expect(fs.readFileSync(join(root, 'etc/gone'), 'utf8')).toBe('bye\n')
    expect(fs.readFileSync(join(root, 'sys/module/x/parameters/y'), 'utf8').trim()).toBe('0')
    expect(fs.readFileSync(out, 'utf8')).toBe('generated once\n')
    expect(fs.statSync(out).mode & 0o7777).toBe(0o444)
  })

  it('shows the difference when a file was changed since, and changes nothing', async () => {
    const system = fakeKernel(root, drivers)
    put(root, '/etc/a', 'one\n')
    const step: Step = {
      kind: 'file',
      path: '/etc/a',
      before: { text: 'one\n', mode: 0o644 },
      after: { text: 'two\n', mode: 0o644 },
      why: '',
    }
    await apply(planOf(step), system)
    put(root, '/etc/a', 'three\n')
    await expect(rollback(system, undefined)).rejects.toThrow(/-one\n\s*\+three/)
    expect(fs.readFileSync(join(root, 'etc/a'), 'utf8')).toBe('three\n')
  })
})
