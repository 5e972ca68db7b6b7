/**
 * The paths whose existence shows how a machine boots. The reader checks exactly these, and the type allows
 * no other, so a path that was not checked is never taken for absent.
 */
import type { Host } from '../host/host.ts'
import { installedProgram } from './vm-units.ts'

export const bootPaths = [
  '/sys/firmware/efi',
  '/boot/grub/grub.cfg',
  '/boot/grub2/grub.cfg',
  '/boot/grub/grubenv',
  '/boot/grub2/grubenv',
  '/boot/loader/entries',
  '/boot/loader/loader.conf',
  '/boot/efi/loader/entries',
  '/boot/efi/loader/loader.conf',
  '/efi/loader/entries',
  '/efi/loader/loader.conf',
  '/etc/default/grub',
  '/etc/default/grub.d',
  '/etc/grub.d/10_linux',
  '/etc/kernel/cmdline',
  '/usr/lib/kernel/cmdline',
  '/etc/kernel/proxmox-boot-uuids',
  '/etc/kernel/uki.conf',
  '/etc/kernel/tries',
  '/etc/NIXOS',
  '/run/ostree-booted',
  '/etc/unraid-version',
  '/usr/sbin/update-grub',
  '/usr/sbin/grub-mkconfig',
  '/usr/bin/grub-mkconfig',
  '/usr/sbin/grub2-mkconfig',
  '/usr/sbin/grubby',
  '/usr/sbin/proxmox-boot-tool',
  '/usr/bin/sdbootutil',
  '/usr/bin/kernelstub',
  '/usr/bin/bootctl',
  '/usr/bin/kernel-install',
  '/usr/bin/ukify',
  '/usr/sbin/update-initramfs',
  '/etc/initramfs-tools',
  '/usr/bin/dracut',
  '/usr/sbin/dracut',
  '/etc/dracut.conf.d',
  '/usr/bin/mkinitcpio',
  '/etc/mkinitcpio.conf',
  '/run/systemd/system',
  installedProgram,
] as const

export type BootPath = (typeof bootPaths)[number]

/** `present`: the existing paths of a Host. Undefined, without boot facts, no path is known to exist. */
export function hasPath(present: readonly string[] | undefined, path: BootPath): boolean {
  return present?.includes(path) === true
}

/** Our units and tmpfiles.d files need systemd. */
export function runsSystemd({ boot }: Pick<Host, 'boot'>): boolean {
  return hasPath(boot?.present, '/run/systemd/system')
}
