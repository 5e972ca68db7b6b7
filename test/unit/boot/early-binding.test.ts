/**
 * The early binding script, run by real shells on a sysfs-shaped tree: it is the part that runs where nothing
 * else does.
 */
import { mkinitcpio } from '../../../src/boot/initramfs/mkinitcpio.ts'
import { initramfsTools } from '../../../src/boot/initramfs/initramfs-tools.ts'
import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Binding,
  type Guard,
  bindScript,
  bindingsPath,
  earlyBindingFiles,
  formatBindings,
  liftGate,
} from '../../../src/boot/early-binding.ts'
import { allInitramfsTools, findInitramfsTool } from '../../../src/boot/initramfs/tools.ts'
import type { Identity } from '../../../src/pci/identity.ts'
import { fakeSysfs, identityOf, put, tempTree, type FakeDevice } from '../../support/fake-kernel.ts'

const hasBusybox = spawnSync('busybox', ['true']).status === 0
const shells: [string, string[]][] = [
  ['sh', ['sh']],
  ['bash', ['bash', '--posix']],
  ...(hasBusybox ? [['busybox', ['busybox', 'sh']] as [string, string[]]] : []),
]

const nic: FakeDevice = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  vendor: '8086',
  device: '10d3',
  driver: null,
}
const vmd: FakeDevice = {
  address: '10000:e1:00.0',
  place: 'pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:1b.0/10000:e1:00.0',
  vendor: '144d',
  device: 'a808',
  driver: null,
}

let root = ''
beforeEach(() => {
  root = tempTree()
  fakeSysfs(root, [nic, vmd], { e1000e: [], 'vfio-pci': [] })
  put(root, '/proc/cmdline', 'BOOT_IMAGE=/vmlinuz quiet\n')
  put(root, '/dev/kmsg', '')
  put(root, '/bind', bindScript, 0o755)
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const folderOf = (device: FakeDevice) => join(root, 'sys/devices', device.place)
const overrideOf = (device: FakeDevice) =>
  fs.readFileSync(join(folderOf(device), 'driver_override'), 'utf8').trim()
const said = () => fs.readFileSync(join(root, 'dev/kmsg'), 'utf8')
const probed = () => fs.readFileSync(join(root, 'sys/bus/pci/drivers_probe'), 'utf8').trim()

function run(
  shell: readonly string[],
  identities: readonly Binding[],
  given: { only?: string; gate?: string; inForce?: string; guards?: readonly Guard[] } = {},
): void {
  put(
    root,
    bindingsPath,
    formatBindings(
      { identities, guards: given.guards ?? [] },
      given.gate === undefined ? undefined : { token: given.gate, inForce: given.inForce },
    ),
  )
  const [program = '', ...args] = [
    ...shell,
    join(root, 'bind'),
    ...(given.only === undefined ? [] : [given.only]),
  ]
  execFileSync(program, args, {
    env: { PATH: process.env['PATH'] ?? '', HANDOVER_ROOT: root },
    stdio: 'pipe',
  })
}

/** A configuration space with a chain of extended capabilities: AER at 0x100, the serial number at 0x140. */
function withSerial(device: FakeDevice, serial: string): void {
  const config = Buffer.alloc(4096)
  config.writeUInt32LE((0x140 << 20) | (1 << 16) | 0x0001, 0x100)
  config.writeUInt32LE((1 << 16) | 0x0003, 0x140)
  config.writeUInt32LE(Number.parseInt(serial.slice(8), 16), 0x144)
  config.writeUInt32LE(Number.parseInt(serial.slice(0, 8), 16), 0x148)
  fs.writeFileSync(join(folderOf(device), 'config'), config)
}

describe('the list of bindings', () => {
  const other = { ...identityOf(nic), path: '0000:00/1d.0/00.0' }
  const token = 'handover.trial=1'

  it('is the same in whatever order the devices come', () =>
    expect(formatBindings({ identities: [other, identityOf(nic)] })).toBe(
      formatBindings({ identities: [identityOf(nic), other] }),
    ))

  it('holds back only what is new, and without its gate is what is wanted for good', () => {
    const inForce = formatBindings({ identities: [other] })
    const gated = formatBindings({ identities: [identityOf(nic), other] }, { token, inForce })
    expect(gated.split('\n').map((line) => line.split(' ')[0])).toEqual([
      '#',
      other.path,
      'only-with',
      identityOf(nic).path,
      '',
    ])
    expect(formatBindings({ identities: [identityOf(nic), other] }, { token, inForce: gated })).toBe(gated)
    expect(liftGate(gated)).toBe(formatBindings({ identities: [identityOf(nic), other] }))
  })

  it('has no gate when nothing is new', () =>
    expect(
      formatBindings({ identities: [other] }, { token, inForce: formatBindings({ identities: [other] }) }),
    ).toBe(formatBindings({ identities: [other] })))
})

describe.each(shells)('the early binding script in %s', (_, shell) => {
  it('gives the recorded devices to vfio-pci, below a VMD too', () => {
    run(shell, [identityOf(nic), identityOf(vmd)])
    expect([overrideOf(nic), overrideOf(vmd), probed()]).toEqual(['vfio-pci', 'vfio-pci', '0000:01:00.0'])
    expect(said()).toContain('handover: 0000:01:00.0 is kept for a virtual machine')
  })

  it.each<[string, Partial<Identity>, string]>([
    ['another model', { deviceId: '1572' }, 'device is 10d3, recorded is 1572'],
    ['another vendor', { vendorId: '10de' }, 'vendor is 8086, recorded is 10de'],
    [
      'another serial',
      { deviceSerialNumber: '525400fffe123457' },
      'serial number is 525400fffe123456, recorded is 525400fffe123457',
    ],
    ['a missing subsystem', { subsystemId: 'a01f' }, 'subsystem device is unreadable, recorded is a01f'],
  ])('binds nothing when %s sits there, and says so', (_, change, words) => {
    withSerial(nic, '525400fffe123456')
    run(shell, [{ ...identityOf(nic), ...change }])
    expect([overrideOf(nic), probed()]).toEqual(['(null)', ''])
    expect(said()).toContain(
      `handover: 0000:01:00.0 at 0000:00/1c.0/00.0 is not the recorded device (${words}); nothing was bound`,
    )
  })

  it('checks the serial number byte for byte', () => {
    withSerial(nic, '525400fffe123456')
    run(shell, [{ ...identityOf(nic), deviceSerialNumber: '525400fffe123456' }])
    expect(overrideOf(nic)).toBe('vfio-pci')
  })

  it('binds nothing when the recorded serial cannot be read', () => {
    run(shell, [{ ...identityOf(nic), deviceSerialNumber: '525400fffe123456' }])
    expect(overrideOf(nic)).toBe('(null)')
    expect(said()).toContain('serial number is unread')
  })

  it('limits the resets of a device to those chosen for it, once', () => {
    put(root, `/sys/devices/${nic.place}/reset_method`, 'flr pm bus\n')
    const resets = () => fs.readFileSync(join(folderOf(nic), 'reset_method'), 'utf8')
    run(shell, [identityOf(nic)])
    expect(resets()).toBe('flr pm bus\n')
    run(shell, [{ ...identityOf(nic), deviceId: '1572', resetMethods: ['bus'] }])
    expect(resets()).toBe('flr pm bus\n')
    run(shell, [{ ...identityOf(nic), resetMethods: ['pm', 'bus'] }, identityOf(vmd)])
    expect([resets(), overrideOf(nic), overrideOf(vmd)]).toEqual(['pm bus\n', 'vfio-pci', 'vfio-pci'])
  })

  it('does without reset_method where the kernel has none', () => {
    run(shell, [{ ...identityOf(nic), resetMethods: ['bus'] }])
    expect(overrideOf(nic)).toBe('vfio-pci')
    expect(said()).not.toContain('reset_method')
  })

  it('says when the place is empty', () => {
    run(shell, [{ ...identityOf(nic), path: '0000:00/1d.0/00.0' }])
    expect(said()).toBe('handover: no device at 0000:00/1d.0/00.0; nothing was bound there\n')
  })

  it('does nothing with handover=off, and without the token of a trial', () => {
    put(root, '/proc/cmdline', 'quiet handover=off\n')
    run(shell, [identityOf(nic)])
    expect(overrideOf(nic)).toBe('(null)')
    put(root, '/proc/cmdline', 'quiet\n')
    run(shell, [identityOf(nic)], { gate: 'handover.trial=1' })
    expect(overrideOf(nic)).toBe('(null)')
    put(root, '/proc/cmdline', 'quiet handover.trial=1')
    run(shell, [identityOf(nic)], { gate: 'handover.trial=1' })
    expect(overrideOf(nic)).toBe('vfio-pci')
  })

  it('takes a device from a built-in driver in the initramfs, never at run time', () => {
    const unbind = join(root, 'sys/bus/pci/drivers/e1000e/unbind')
    fs.writeFileSync(unbind, '')
    fs.symlinkSync('../../../../bus/pci/drivers/e1000e', join(folderOf(nic), 'driver'))
    run(shell, [identityOf(nic)], { only: nic.address })
    expect([overrideOf(nic), fs.readFileSync(unbind, 'utf8')]).toEqual(['vfio-pci', ''])
    expect(said()).toContain('e1000e has it already and keeps it')
    run(shell, [identityOf(nic)])
    expect(fs.readFileSync(unbind, 'utf8').trim()).toBe(nic.address)
  })

  it('finds a virtual function at its physical function', () => {
    const vf: FakeDevice = {
      ...nic,
      address: '0000:01:10.0',
      place: 'pci0000:00/0000:00:1c.0/0000:01:10.0',
      device: '10ed',
    }
    fakeSysfs(root, [vf], {})
    fs.symlinkSync('../0000:01:10.0', join(folderOf(nic), 'virtfn0'))
    run(shell, [{ ...identityOf(vf), path: '0000:00/1c.0/00.0/vf0' }])
    expect([overrideOf(nic), overrideOf(vf)]).toEqual(['(null)', 'vfio-pci'])
  })

  it('looks only at the device that udev names', () => {
    run(shell, [identityOf(nic), identityOf(vmd)], { only: vmd.address })
    expect([overrideOf(nic), overrideOf(vmd)]).toEqual(['(null)', 'vfio-pci'])
  })
})

/** The guest's controller is recorded at 1c.1, and the host's of the same kind at 1f.2. */
describe.each(shells)('the guard of a storage controller in %s', (_, shell) => {
  const controller = (address: string, place: string, device = '2922'): FakeDevice => ({
    ...{ address, place: `pci0000:00/${place}`, vendor: '8086', device, driver: null },
  })
  const guests = controller('0000:02:00.0', '0000:00:1c.1/0000:02:00.0')
  const moved = controller('0000:03:00.0', '0000:00:1c.2/0000:03:00.0')
  const hosts = controller('0000:00:1f.2', '0000:00:1f.2')
  const other = controller('0000:02:00.0', '0000:00:1c.1/0000:02:00.0', '0d61')
  const guards: Guard[] = [
    { whose: 'guest', identity: identityOf(guests) },
    { whose: 'host', identity: identityOf(hosts) },
  ]
  const boot = (devices: readonly FakeDevice[], only?: string) => {
    fakeSysfs(root, devices, { ahci: [] })
    for (const { place } of devices) put(root, `/sys/devices/${place}/class`, '0x010601\n')
    run(shell, [identityOf(guests)], { guards, ...(only === undefined ? {} : { only }) })
    return devices.map(overrideOf)
  }

  it('holds nothing while the controller is in its place', () =>
    expect(boot([guests, moved, hosts])).toEqual(['vfio-pci', '(null)', '(null)']))

  it('holds one of its kind that was not there before, when the controller is gone', () => {
    expect(boot([moved, hosts])).toEqual(['handover-held', '(null)'])
    expect(said()).toContain('0000:03:00.0 gets no driver: it may be a virtual machine')
  })

  it('holds what is in its place now', () =>
    expect(boot([other, hosts])).toEqual(['handover-held', '(null)']))

  it('leaves all of it to the host where a controller of the host is not in its place', () => {
    expect(boot([moved])).toEqual(['(null)'])
    expect(boot([other])).toEqual(['(null)'])
    expect(said()).toContain('may be a controller of a virtual machine or of the host')
  })

  it('holds a device that appears later, and takes none from a driver then', () => {
    const driver = join(root, 'sys/bus/pci/drivers/ahci')
    expect(boot([moved, hosts], moved.address)).toEqual(['handover-held', '(null)'])
    fs.writeFileSync(join(folderOf(moved), 'driver_override'), '(null)\n')
    fs.symlinkSync('../../../../bus/pci/drivers/ahci', join(folderOf(moved), 'driver'))
    fs.writeFileSync(join(driver, 'unbind'), '')
    run(shell, [identityOf(guests)], { guards, only: moved.address })
    expect([overrideOf(moved), fs.readFileSync(join(driver, 'unbind'), 'utf8')]).toEqual(['(null)', ''])
    run(shell, [identityOf(guests)], { guards })
    expect(fs.readFileSync(join(driver, 'unbind'), 'utf8').trim()).toBe(moved.address)
  })

  it('holds nothing but storage controllers', () => {
    fakeSysfs(root, [moved, hosts], { ahci: [] })
    put(root, `/sys/devices/${moved.place}/class`, '0x020000\n')
    put(root, `/sys/devices/${hosts.place}/class`, '0x010601\n')
    run(shell, [identityOf(guests)], { guards })
    expect(overrideOf(moved)).toBe('(null)')
  })

  it('holds nothing with handover=off', () => {
    put(root, '/proc/cmdline', 'quiet handover=off\n')
    expect(boot([moved, hosts])).toEqual(['(null)', '(null)'])
  })
})

describe('the files around it', () => {
  it.each<[string[], string | undefined]>([
    [['/usr/sbin/update-initramfs', '/etc/initramfs-tools'], 'initramfs-tools'],
    [['/usr/bin/dracut'], 'dracut'],
    [['/usr/bin/mkinitcpio', '/etc/mkinitcpio.conf'], 'mkinitcpio'],
    [['/usr/bin/dracut', '/usr/sbin/update-initramfs', '/etc/initramfs-tools'], undefined],
    [[], undefined],
  ])('tool of %j is %s', (present, tool) => expect(findInitramfsTool(present)?.name).toBe(tool))

  it.each(allInitramfsTools)('of $name are shell that parses, and are named for us', (tool) => {
    for (const { path, text } of earlyBindingFiles(tool, { identities: [identityOf(nic)] })) {
      expect(path).toContain('handover')
      expect(text.split('\n').slice(0, 2)).toContain('# Written by handover. To undo: handover rollback.')
      const isShell =
        !/\.(?:rules|service)$/.test(path) && !path.startsWith('/etc/modules-load') && path !== bindingsPath
      if (isShell) execFileSync('bash', ['-n', '-c', text])
    }
  })

  // mkinitcpio is in no Debian: its functions (mkinitcpio(8)) are played, the hooks are real.
  it.each([
    ['an init of its own', false, ['runscript']],
    [
      'systemd',
      true,
      [
        'file /etc/handover/handover-bind.service /usr/lib/systemd/system/handover-bind.service',
        'symlink /usr/lib/systemd/system/sysinit.target.wants/handover-bind.service ../handover-bind.service',
      ],
    ],
  ])('of mkinitcpio runs the script before the trigger with %s', (_, hasSystemd, start) => {
    for (const { path, text, mode } of earlyBindingFiles(mkinitcpio, { identities: [identityOf(nic)] }))
      put(root, path, text, mode)
    if (hasSystemd) put(root, '/build/usr/lib/systemd/system/systemd-udev-trigger.service', '')
    put(root, '/build/usr/bin/sh', '')
    const functions = ['module', 'binary', 'file', 'symlink', 'runscript']
      .map((name) => `add_${name}() { echo ${name} "$@"; }`)
      .join('\n')
    const script = `BUILDROOT='${root}/build'\n${functions}\n. '${root}/etc/initcpio/install/handover'\nbuild`
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')).toEqual([
      'module vfio-pci',
      'binary od',
      'binary readlink',
      'file /etc/handover/bind',
      'file /etc/handover/bindings',
      'file /etc/udev/rules.d/10-handover.rules',
      ...start,
    ])
    expect(fs.readFileSync(join(root, 'etc/handover/handover-bind.service'), 'utf8')).toContain(
      'Before=systemd-udev-trigger.service',
    )
    const hooks = `HOOKS=(base udev)\n. '${root}/etc/mkinitcpio.conf.d/handover.conf'\necho "\${HOOKS[@]}"`
    expect(execFileSync('bash', ['-c', hooks], { encoding: 'utf8' })).toBe('base udev handover\n')
    execFileSync('sh', ['-c', `. '${root}/etc/initcpio/hooks/handover'; run_earlyhook`])
  })

  it('regenerating covers the images of all kernels', () =>
    expect(initramfsTools.makeAll([])).toEqual({
      argv: ['update-initramfs', '-u', '-k', 'all'],
      outputs: ['/boot/initrd.img-*'],
    }))
})
