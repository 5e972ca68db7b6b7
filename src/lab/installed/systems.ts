/**
 * The kinds of installed lab hosts: which of the distribution's packages they are made of, how they boot, and
 * what the machine that builds them needs. Adding one is an entry here and its scripts in lab/installed/.
 */
import type { Need } from '../../images/tools.ts'

export const installedKinds = [
  'debian-grub',
  'debian-systemd-boot',
  'debian-unified',
  'debian-ukify',
  'debian-vms',
] as const

export type InstalledKind = (typeof installedKinds)[number]

export type InstalledSystem = {
  readonly kind: InstalledKind
  readonly packages: readonly string[]
  /** Code name of the release its packages are of; this machine's own when absent. */
  readonly suite?: string
  readonly firmware: 'bios' | 'uefi'
  /** The partition table in the language of sfdisk(8); the last partition is the root file system. */
  readonly partitions: readonly string[]
  readonly places: readonly DiskPlace[]
}

/** Where a partition begins, in MiB, and how large it is. */
export type DiskPlace = { readonly label: string; readonly startMiB: number; readonly sizeMiB: number }

const base = [
  ...['linux-image-amd64', 'systemd-sysv', 'udev', 'kmod', 'dbus', 'iproute2', 'libstdc++6', 'pci.ids'],
  ...['util-linux', 'mount', 'e2fsprogs'],
]

/** The loader, and the stub that unified kernel images begin with. */
const systemdBoot = ['systemd-boot', 'systemd-boot-efi', 'dosfstools']

const uefiDisk = {
  partitions: ['label: gpt', 'start=2048, size=614400, type=U', 'start=616448, type=L'],
  places: [
    { label: 'LABESP', startMiB: 1, sizeMiB: 300 },
    { label: 'labroot', startMiB: 301, sizeMiB: 2047 },
  ],
}

export const installedSystems: Readonly<Record<InstalledKind, InstalledSystem>> = {
  'debian-grub': {
    kind: 'debian-grub',
    packages: [...base, 'grub-pc', 'initramfs-tools', 'busybox'],
    firmware: 'bios',
    partitions: ['label: dos', 'start=2048, type=83, bootable'],
    places: [{ label: 'labroot', startMiB: 1, sizeMiB: 2047 }],
  },
  'debian-systemd-boot': {
    kind: 'debian-systemd-boot',
    packages: [...base, ...systemdBoot, 'dracut', 'zstd'],
    firmware: 'uefi',
    ...uefiDisk,
  },
  'debian-unified': {
    kind: 'debian-unified',
    packages: [...base, ...systemdBoot, 'dracut', 'binutils', 'zstd'],
    firmware: 'uefi',
    ...uefiDisk,
  },
  'debian-ukify': {
    kind: 'debian-ukify',
    // The first Debian that has ukify.
    suite: 'trixie',
    packages: [...base, ...systemdBoot, 'systemd-ukify', 'initramfs-tools', 'busybox', 'zstd'],
    firmware: 'uefi',
    ...uefiDisk,
  },
  'debian-vms': {
    kind: 'debian-vms',
    // A host that runs VMs: its own port is on a bridge.
    packages: [...base, 'grub-pc', 'initramfs-tools', 'busybox', 'qemu-system-x86'],
    firmware: 'bios',
    partitions: ['label: dos', 'start=2048, type=83, bootable'],
    places: [{ label: 'labroot', startMiB: 1, sizeMiB: 3071 }],
  },
}

const diskNeeds: readonly Need[] = [
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap', for: 'a Debian system on a disk image' },
  { program: 'sfdisk', debianPackage: 'fdisk', for: "the disk image's partitions" },
]

export function needsOf(system: InstalledSystem): readonly Need[] {
  if (system.firmware === 'bios') return diskNeeds
  return [
    ...diskNeeds,
    { program: 'mkfs.vfat', debianPackage: 'dosfstools', for: 'the EFI system partition' },
    { file: '/usr/share/OVMF/OVMF_CODE_4M.fd', debianPackage: 'ovmf', for: 'UEFI firmware' },
  ]
}
