/**
 * A Debian-shaped host with GRUB and initramfs-tools in a temporary tree, whose IOMMU is off: stand-ins for
 * its generators, and its next boot, whose early binding is done by the real script.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../../src/host/host.ts'
import { readHost } from '../../src/host/read/read-host.ts'
import { omit } from '../../src/plan/omit.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'
import { fakeSysfs, put, tempTree } from './fake-kernel.ts'
import { differences, snapshotTree } from './snapshot-tree.ts'
import { fakePrograms, nic } from './transactions.ts'

export const kernel = '6.1.0-9-amd64'
export const grubCfg = `menuentry 'Debian' {
	linux	/boot/vmlinuz-${kernel} root=UUID=1 ro quiet
	initrd	/boot/initrd.img-${kernel}
}
source $prefix/custom.cfg
`

/**
 * Images are made from what is in /etc/handover, entries from what is in /etc/default/grub.d; nothing is
 * synced.
 */
const generators: Record<string, string> = {
  mkinitramfs: 'cat "$R"/etc/handover/* > "$R$2"',
  'update-initramfs':
    'for i in "$R"/boot/initrd.img-*; do { echo base; cat "$R"/etc/handover/bindings; } > "$i"; done 2>/dev/null',
  'update-grub':
    'cat "$R"/etc/default/grub.d/*.cfg > "$R/boot/grub/grub.cfg.new"; mv "$R/boot/grub/grub.cfg.new" "$R/boot/grub/grub.cfg"',
  'grub-reboot': 'echo "next_entry=$1" > "$R/boot/grub/grubenv"',
  rm: 'exec /bin/rm -f "$R$2"',
}

const ours = ['/var/lib/handover', '/run', '/proc', '/sys', '/bin-fake', '/dev']

export type DebianHost = {
  readonly root: string
  readonly system: () => System
  readonly host: () => Host
  /**
   * The next boot: through the trial entry (its initramfs runs the early binding, the IOMMU is on), or the
   * old one.
   */
  readonly boot: (isTrial: boolean) => void
  /** The driver of the card that is given away. */
  readonly driver: () => string | undefined
  /** What differs from the beginning, the kernel's files and the journal left out. */
  readonly changed: () => string[]
  readonly end: () => void
}

/** Its generators are on PATH while it lasts. */
export function debianHost(): DebianHost {
  const root = tempTree()
  fakeSysfs(root, [nic], { e1000e: ['8086:10d3'], 'vfio-pci': [] })
  put(root, '/sys/firmware/acpi/tables/DMAR', 'DMAR')
  put(root, '/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz-${kernel} root=UUID=1 ro quiet\n`)
  put(root, '/proc/sys/kernel/osrelease', `${kernel}\n`)
  put(root, '/proc/version', `Linux version ${kernel}\n`)
  put(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
  put(root, '/dev/kmsg', '')
  for (const path of ['/usr/sbin/update-grub', '/usr/sbin/update-initramfs']) put(root, path, '', 0o755)
  for (const path of [
    '/run/systemd/system',
    '/etc/initramfs-tools',
    '/etc/default/grub.d',
    '/etc/udev',
    '/var/lib',
  ])
    fs.mkdirSync(join(root, path), { recursive: true })
  put(root, '/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
  put(root, '/boot/grub/grub.cfg', grubCfg)
  put(root, '/boot/grub/grubenv', 'saved_entry=0\n')
  put(root, `/boot/initrd.img-${kernel}`, 'the good initramfs')
  const programs = fakePrograms(root, generators)
  const before = snapshotTree(root, ours)
  return {
    root,
    // Its programs are stand-ins that act on the tree: it is as good as the running machine.
    system: () => omit(linuxSystem({ root }), 'root'),
    host: () => readHost(linuxSystem({ root })),
    boot: (isTrial) => boot(root, isTrial, programs.oldPath),
    driver: () =>
      fs
        .readlinkSync(join(root, 'sys/devices', nic.place, 'driver'))
        .split('/')
        .at(-1),
    changed: () => differences(before, snapshotTree(root, ours)),
    end: () => programs.end(),
  }
}

function boot(root: string, isTrial: boolean, path: string): void {
  const entry = fs.existsSync(join(root, 'boot/grub/custom.cfg'))
    ? fs.readFileSync(join(root, 'boot/grub/custom.cfg'), 'utf8')
    : ''
  const args = isTrial ? (/linux \S+ (.*)/.exec(entry)?.[1] ?? '') : 'root=UUID=1 ro quiet'
  put(root, '/proc/cmdline', `BOOT_IMAGE=/boot/vmlinuz-${kernel} ${args}\n`)
  // GRUB forgets its one-shot choice by itself.
  put(root, '/boot/grub/grubenv', 'saved_entry=0\nnext_entry=\n')
  put(root, '/proc/uptime', '20.0 1.0\n')
  put(root, '/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n')
  put(root, '/proc/net/route', 'Iface\n')
  fs.rmSync(join(root, 'sys/devices'), { recursive: true })
  fs.rmSync(join(root, 'sys/bus'), { recursive: true })
  fs.rmSync(join(root, 'run'), { recursive: true })
  fs.mkdirSync(join(root, 'run/systemd/system'), { recursive: true })
  fakeSysfs(root, [{ ...nic, driver: null, ...(isTrial ? { group: 1 } : {}) }], {
    e1000e: ['8086:10d3'],
    'vfio-pci': [],
  })
  if (fs.existsSync(join(root, 'etc/handover/bind')))
    execFileSync('sh', [join(root, 'etc/handover/bind')], { env: { PATH: path, HANDOVER_ROOT: root } })
  const device = join(root, 'sys/devices', nic.place)
  const isKept = fs.readFileSync(join(device, 'driver_override'), 'utf8').trim() === 'vfio-pci'
  fs.symlinkSync(`../../../../bus/pci/drivers/${isKept ? 'vfio-pci' : 'e1000e'}`, join(device, 'driver'))
}
