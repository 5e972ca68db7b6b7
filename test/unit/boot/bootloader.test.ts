import { describe, expect, it } from 'vitest'
import { canGrubForget, findGrub } from '../../../src/boot/loaders/grub-custom.ts'
import { findLoader } from '../../../src/boot/loaders/loaders.ts'
import type { BootEvidence } from '../../../src/boot/loaders/loader.ts'
import { initramfsTools } from '../../../src/boot/initramfs/initramfs-tools.ts'
import { hostWith } from '../../support/host-builder.ts'

describe('the boot loader', () => {
  const debian = [
    '/boot/grub/grub.cfg',
    '/etc/default/grub',
    '/usr/sbin/update-grub',
    '/usr/sbin/grub-mkconfig',
  ]
  const fedora = [
    '/boot/grub2/grub.cfg',
    '/etc/default/grub',
    '/usr/sbin/grub2-mkconfig',
    '/boot/loader/entries',
  ]
  const sd = ['/boot/efi/loader/entries', '/boot/efi/loader/loader.conf', '/sys/firmware/efi']
  const find = (evidence: Partial<BootEvidence>) =>
    findLoader({ present: [], cmdline: '', ...evidence }).loader
  const grubOf = (present: readonly string[]) => findGrub({ has: (path) => present.includes(path) })

  it.each<[string, Partial<BootEvidence>, string]>([
    ['Debian', { present: debian }, 'GRUB'],
    ['Fedora', { present: fedora }, 'GRUB'],
    ['systemd-boot', { present: sd }, 'systemd-boot'],
    ['both, undecided', { present: [...debian, ...sd] }, 'ambiguous'],
    [
      'both, GRUB ran',
      { present: [...debian, ...sd], cmdline: 'BOOT_IMAGE=/vmlinuz root=/dev/sda1' },
      'GRUB',
    ],
    [
      'both, systemd-boot ran',
      { present: [...debian, ...sd], loaderInfo: 'systemd-boot 252.39' },
      'systemd-boot',
    ],
    [
      'Proxmox on ZFS',
      { present: ['/etc/kernel/proxmox-boot-uuids', ...sd], loaderInfo: 'systemd-boot 252' },
      'proxmox-boot-tool',
    ],
    ['NixOS', { present: [...debian, '/etc/NIXOS'] }, 'NixOS'],
    ['ostree', { present: [...sd, '/run/ostree-booted'] }, 'an ostree system'],
    ['Unraid', { present: ['/etc/unraid-version'] }, 'Unraid'],
    [
      'systemd-boot that lies there, and GRUB that ran from elsewhere',
      { present: sd, cmdline: 'BOOT_IMAGE=/vmlinuz' },
      'unknown',
    ],
    [
      'GRUB that lies there, and systemd-boot that ran',
      { present: debian, loaderInfo: 'systemd-boot 252' },
      'unknown',
    ],
    [
      'a unified image, with a GRUB beside it',
      { present: debian, stubInfo: 'systemd-stub 255' },
      'unified kernel images',
    ],
    ['nothing', {}, 'unknown'],
  ])('of %s', (_, evidence, name) => expect(find(evidence).name).toBe(name))

  it.each<[string, readonly string[], object]>([
    ['Debian', debian, { folder: '/boot/grub', hasDropIns: true, regenerate: ['update-grub'] }],
    [
      'Arch',
      debian.toSpliced(2, 1),
      { hasDropIns: false, regenerate: ['grub-mkconfig', '-o', '/boot/grub/grub.cfg'] },
    ],
    [
      'Fedora',
      fedora,
      {
        folder: '/boot/grub2',
        usesEntries: true,
        regenerate: ['grub2-mkconfig', '-o', '/boot/grub2/grub.cfg'],
      },
    ],
  ])('GRUB of %s lies in its folder and is made by its tool', (_, present, grub) =>
    expect(grubOf(present)).toMatchObject(grub),
  )

  it.each<[string, Partial<BootEvidence>, string]>([
    ['the ESP', { present: sd }, '/boot/efi/loader/entries'],
    [
      'XBOOTLDR, with the loader on the ESP',
      {
        present: ['/efi/loader/loader.conf', '/efi/loader/entries', '/boot/loader/entries'],
        entries: '/boot/loader/entries',
        loaderInfo: 'systemd-boot 255',
      },
      '/boot/loader/entries',
    ],
  ])('entries on %s are those that are edited', (_, evidence, folder) => {
    const loader = find(evidence)
    const host = hostWith()
    const edits = loader.edit(
      { host, loader, tool: undefined, maker: undefined },
      { add: ['a=b'], remove: [] },
    )
    expect(edits).toMatchObject({
      ok: false,
      finding: { help: `in ${folder}/*.conf, on the options line: add a=b` },
    })
  })

  it.each<[string, readonly string[]]>([
    ['GRUB', debian],
    ['GRUB with entries', fedora],
  ])('%s under proxmox-boot-tool is copied after its images are made again', (_, present) => {
    const loader = find({
      present: [...present, '/etc/kernel/proxmox-boot-uuids'],
      cmdline: 'BOOT_IMAGE=/vmlinuz',
    })
    const boot = { host: hostWith(), loader, tool: initramfsTools, maker: undefined }
    const programs = loader
      .remake(boot, initramfsTools)
      .map((step) => step.kind === 'command' && step.argv[0])
    expect(programs).toEqual(['update-initramfs', 'proxmox-boot-tool'])
  })

  it('that could be either names both', () => {
    const loader = find({ present: [...debian, ...sd] })
    const edits = loader.edit(
      { host: hostWith(), loader, tool: undefined, maker: undefined },
      { add: ['a=b'], remove: [] },
    )
    expect(edits).toMatchObject({ ok: false, finding: { code: 'boot-ambiguous' } })
    expect(edits.ok ? '' : edits.finding.message).toContain('either GRUB or systemd-boot')
  })

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
