import { describe, expect, it } from 'vitest'
import { canGrubForget, findBootloader, type BootEvidence } from '../../../src/boot/loaders/bootloader.ts'

describe('the boot loader', () => {
  const debian = ['/boot/grub/grub.cfg', '/etc/default/grub', '/usr/sbin/update-grub', '/usr/sbin/grub-mkconfig']
  const sd = ['/boot/efi/loader/entries', '/boot/efi/loader/loader.conf', '/sys/firmware/efi']
  const find = (evidence: Partial<BootEvidence>) =>
    findBootloader({ efi: false, present: [], cmdline: '', ...evidence })

  it.each<[string, Partial<BootEvidence>, object]>([
    [
      'Debian',
      { present: debian },
      { kind: 'grub', folder: '/boot/grub', hasDropIns: true, regenerate: ['update-grub'] },
    ],
    [
      'Arch',
      { present: debian.toSpliced(2, 1) },
      { kind: 'grub', hasDropIns: false, regenerate: ['grub-mkconfig', '-o', '/boot/grub/grub.cfg'] },
    ],
    [
      'Fedora',
      { present: ['/boot/grub2/grub.cfg', '/etc/default/grub', '/usr/sbin/grub2-mkconfig', '/boot/loader/entries'] },
      {
        kind: 'grub',
        folder: '/boot/grub2',
        usesEntries: true,
        regenerate: ['grub2-mkconfig', '-o', '/boot/grub2/grub.cfg'],
      },
    ],
    ['systemd-boot', { present: sd }, { kind: 'systemd-boot', entries: '/boot/efi/loader/entries' }],
    ['both, undecided', { present: [...debian, ...sd] }, { kind: 'ambiguous', candidates: ['GRUB', 'systemd-boot'] }],
    [
      'both, GRUB ran',
      { present: [...debian, ...sd], cmdline: 'BOOT_IMAGE=/vmlinuz root=/dev/sda1' },
      { kind: 'grub' },
    ],
    [
      'both, systemd-boot ran',
      { present: [...debian, ...sd], loaderInfo: 'systemd-boot 252.39' },
      { kind: 'systemd-boot' },
    ],
    [
      'Proxmox on ZFS',
      { present: ['/etc/kernel/proxmox-boot-uuids', ...sd], loaderInfo: 'systemd-boot 252' },
      { kind: 'proxmox' },
    ],
    ['NixOS', { present: [...debian, '/etc/NIXOS'] }, { kind: 'manual', system: 'NixOS' }],
    ['ostree', { present: [...sd, '/run/ostree-booted'] }, { kind: 'manual', system: 'an ostree system' }],
    ['Unraid', { present: ['/etc/unraid-version'] }, { kind: 'manual', system: 'Unraid' }],
    [
      'systemd-boot that lies there, and GRUB that ran from elsewhere',
      { present: sd, cmdline: 'BOOT_IMAGE=/vmlinuz' },
      { kind: 'unknown' },
    ],
    [
      'GRUB that lies there, and systemd-boot that ran',
      { present: debian, loaderInfo: 'systemd-boot 252' },
      { kind: 'unknown' },
    ],
    [
      'entries on XBOOTLDR, with the loader on the ESP',
      {
        present: ['/efi/loader/loader.conf', '/efi/loader/entries', '/boot/loader/entries'],
        entries: '/boot/loader/entries',
        loaderInfo: 'systemd-boot 255',
      },
      { kind: 'systemd-boot', entries: '/boot/loader/entries' },
    ],
    ['a unified image, with a GRUB beside it', { present: debian, stubInfo: 'systemd-stub 255' }, { kind: 'uki' }],
    ['nothing', {}, { kind: 'unknown' }],
  ])('of %s', (_, evidence, expected) => expect(find(evidence)).toMatchObject(expected))

  it.each([
    [{ type: 'ext4', device: '/dev/sda1' }, true],
    [{ type: 'ext4', device: '/dev/nvme0n1p2' }, true],
    [{ type: 'vfat', device: '/dev/vda1' }, true],
    [{ type: 'ext4', device: '/dev/mapper/vg-root' }, false],
    [{ type: 'ext4', device: '/dev/md0' }, false],
    [{ type: 'btrfs', device: '/dev/sda1' }, false],
    [{ type: 'zfs', device: 'rpool/ROOT' }, false],
    [undefined, false],
  ])('can forget a one-shot choice on %j: %s', (filesystem, expected) =>
    expect(canGrubForget(filesystem)).toBe(expected),
  )
})
