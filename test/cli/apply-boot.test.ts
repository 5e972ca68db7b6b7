import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let root = ''
const put = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/**
 * A host with a firmware that offers an IOMMU, a kernel that has it off, and GRUB: one NIC to give, one NIC
 * and one disk to keep.
 */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'handover-boot-'))
  const ids = { vendor: '0x8086', device: '0x1533', class: '0x020000', revision: '0x03' }
  mkdirSync(join(root, '/sys/bus/pci/devices'), { recursive: true })
  mkdirSync(join(root, '/sys/class/net'), { recursive: true })
  for (const [address, port, flags] of [
    ['0000:00:03.0', 'lan0', '0x1002'],
    ['0000:00:04.0', 'mgmt0', '0x1003'],
  ] as const) {
    const folder = `devices/pci0000:00/${address}`
    for (const [name, text] of Object.entries(ids)) put(`/sys/${folder}/${name}`, `${text}\n`)
    put(`/sys/${folder}/net/${port}/flags`, `${flags}\n`)
    symlinkSync(`../../../${folder}`, join(root, '/sys/bus/pci/devices', address))
    symlinkSync(`../../${folder}/net/${port}`, join(root, '/sys/class/net', port))
  }
  put('/sys/firmware/acpi/tables/DMAR', 'DMAR')
  put('/proc/cmdline', 'BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro intel_iommu=off\n')
  put(
    '/proc/net/route',
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nmgmt0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\n',
  )
  put('/proc/net/ipv6_route', '')
  put('/proc/self/mountinfo', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n')
  put('/proc/swaps', 'Filename\n')
  put('/proc/meminfo', 'MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n')
  put('/proc/cpuinfo', 'vendor_id : GenuineIntel\nflags : vmx\n')
  put('/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=off"\n')
  put('/boot/grub/grub.cfg', '# made by grub-mkconfig\n')
  put('/usr/sbin/update-grub', '#!/bin/sh\n')
  put(
    '/home.yaml',
    'version: 1\nvms:\n  box:\n    cpus: 1\n    memory: 1 GiB\n    devices:\n      lan: { class: nic }\n',
  )
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function handover(command: string, ...args: readonly string[]) {
  const done = spawnSync('./handover', [command, join(root, 'home.yaml'), '--root', root, ...args], {
    encoding: 'utf8',
  })
  return { status: done.status, said: done.stdout + done.stderr }
}
const apply = (...args: readonly string[]) => handover('apply', '--yes', ...args)

describe('apply, on a host whose IOMMU needs a kernel argument', () => {
  it('changes nothing where no trial boot can be had, and says how to go on', () => {
    const { status, said } = apply()
    expect(said).toContain('error[no-trial]')
    expect(said).toContain('--no-confirm')
    expect(status).toBe(1)
    expect(readdirSync(join(root, 'etc/default'))).toEqual(['grub'])
    expect(readdirSync(root)).not.toContain('var')
  })

  it('runs no program of this machine for files of another tree', () => {
    const { status, said } = apply('--no-confirm')
    expect(said).toMatch(
      /this runs update-grub, which would run here and not in .*; nothing was changed\n {2}help: .*chroot/,
    )
    expect(status).toBe(1)
    expect(readdirSync(join(root, 'etc/default'))).toEqual(['grub'])
    expect(readdirSync(root)).not.toContain('var')
  })

  it('is shown by plan with the same words, and needs as long for a trial', () => {
    expect(handover('plan').said).toContain('error[no-trial]')
    const { status, said } = handover('plan', '--no-confirm')
    expect(said).toContain('run update-grub')
    expect(status).toBe(0)
    expect(handover('plan', '--confirm-within', '1 s')).toMatchObject({
      status: 2,
      said: expect.stringContaining('two minutes or more') as string,
    })
  })

  it('says with --no-boot that the IOMMU is off, and changes nothing', () => {
    const { status, said } = apply('--no-boot')
    expect(said).toContain('error[iommu-off]')
    expect(status).toBe(1)
    expect(readdirSync(root)).not.toContain('var')
  })
})
