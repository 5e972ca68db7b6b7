/** Ways of booting beyond GRUB's files and entry files: what is written, and what is only said. */
import { describe, expect, it } from 'vitest'
import type { BootFacts } from '../../../src/host/boot-facts.ts'
import type { Host, HostFile } from '../../../src/host/host.ts'
import { planBoot as plan } from '../../../src/plan/changes/plan-boot.ts'
import { hostWith } from '../../support/host-builder.ts'

const planBoot = (of: Host, trial = false) => plan(of, { identities: [], trial })

type Facts = Partial<BootFacts> & { readonly cmdline?: string }

function host(
  present: readonly string[],
  files: readonly HostFile[],
  { cmdline = 'quiet', ...facts }: Facts = {},
): Host {
  const boot: BootFacts = { efi: true, present, bootNames: [], ...facts }
  return {
    ...hostWith(),
    iommu: { state: 'off', kind: 'intel' },
    kernel: { cmdline, release: '6.8.12-4-pve' },
    boot,
    files,
  }
}
const file = (path: string, text: string): HostFile => ({ path, text, mode: 0o644 })
const stub: Facts = { stubInfo: 'systemd-stub 256' }

describe('proxmox-boot-tool', () => {
  const uuids = '/etc/kernel/proxmox-boot-uuids'
  const line = file('/etc/kernel/cmdline', 'root=ZFS=rpool/ROOT/pve-1 boot=zfs\n')
  const refresh = {
    kind: 'command',
    argv: ['proxmox-boot-tool', 'refresh'],
    outputs: [],
    undo: ['proxmox-boot-tool', 'refresh'],
  }

  it('gets its one line edited and refreshed, and says how that is taken back', () =>
    expect(planBoot(host([uuids], [line]))).toMatchObject({
      findings: [],
      needsReboot: true,
      steps: [
        { path: line.path, after: { text: 'root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on\n' } },
        refresh,
      ],
    }))

  it('has nothing to do when the line says so already', () =>
    expect(planBoot(host([uuids], [{ ...line, text: 'a intel_iommu=on\n' }])).steps).toEqual([]))

  it('with GRUB refreshes instead of update-grub, since GRUB reads what the tool copied', () => {
    const present = [uuids, '/boot/grub/grub.cfg', '/etc/default/grub', '/usr/sbin/update-grub']
    const grub = host(present, [file('/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')], {
      cmdline: 'BOOT_IMAGE=/vmlinuz quiet',
      grubFilesystem: { type: 'ext4', device: '/dev/sda2' },
      grubReadsCustom: true,
    })
    expect(planBoot(grub).steps.at(-1)).toMatchObject(refresh)
    expect(planBoot(grub, true).findings).toMatchObject([{ code: 'no-trial' }])
  })

  it('is refused a trial, and told why', () =>
    expect(planBoot(host([uuids], [line]), true)).toMatchObject({
      steps: [],
      findings: [
        { code: 'no-trial', message: expect.stringContaining('on partitions that are not mounted') },
      ],
    }))

  it('without its line is said what to do', () =>
    expect(planBoot(host([uuids], [])).findings).toMatchObject([
      {
        code: 'boot-manual',
        help: 'write the one line of /etc/kernel/cmdline (add intel_iommu=on), then run: proxmox-boot-tool refresh',
      },
    ]))
})

describe('a unified kernel image', () => {
  const preset = file(
    '/etc/mkinitcpio.d/linux.preset',
    'ALL_kver="/boot/vmlinuz-linux"\nPRESETS=(\'default\')\n#default_image="/boot/no.img"\ndefault_uki="/efi/EFI/Linux/arch-linux.efi"\nfallback_uki=\'/efi/EFI/Linux/../x.efi\'\n',
  )
  const outputs = ['/boot/initramfs-*.img', '/efi/EFI/Linux/arch-linux.efi']

  it('that mkinitcpio makes gets /etc/kernel/cmdline edited and is made again', () =>
    expect(
      planBoot(host([], [preset, file('/etc/kernel/cmdline', '# mine\nroot=/dev/sda2 rw\n')], stub)),
    ).toMatchObject({
      findings: [],
      steps: [
        { path: '/etc/kernel/cmdline', after: { text: '# mine\nroot=/dev/sda2 rw intel_iommu=on\n' } },
        { kind: 'command', argv: ['mkinitcpio', '-P'], outputs },
      ],
    }))

  it('whose arguments come from /etc/cmdline.d gets a file of our own there', () => {
    const files = [preset, file('/etc/cmdline.d/root.conf', 'root=/dev/sda2 intel_iommu=off\n')]
    const steps = planBoot(host([], files, { ...stub, cmdline: 'root=/dev/sda2 intel_iommu=off' })).steps
    expect(steps).toMatchObject([
      { path: '/etc/cmdline.d/root.conf', after: { text: 'root=/dev/sda2\n' } },
      { path: '/etc/cmdline.d/handover.conf', before: null },
      { argv: ['mkinitcpio', '-P'] },
    ])
    expect(steps[1]?.kind === 'file' && steps[1].after?.text).toMatch(
      /^# Written by handover.*\nintel_iommu=on\n$/,
    )
  })

  it('that the firmware starts by itself is not offered a trial', () => {
    const unified = { folder: '/efi/EFI/Linux', images: [{ name: 'arch-linux.efi', bytes: 1 }], hooks: [] }
    const alone = host([], [preset, file('/etc/kernel/cmdline', 'a\n')], { ...stub, unified })
    expect(planBoot(alone, true).findings).toMatchObject([
      { code: 'no-trial', message: expect.stringContaining('the firmware itself starts the kernel image') },
    ])
  })

  it.each<[string, readonly string[], readonly HostFile[], Facts, string]>([
    [
      'mkinitcpio with the running command line as its only source',
      [],
      [preset],
      stub,
      'write the whole command line (as in /proc/cmdline) into /etc/kernel/cmdline: add intel_iommu=on; then run: mkinitcpio -P',
    ],
    [
      'kernel-install',
      [],
      [file('/etc/kernel/install.conf', 'layout=uki\nuki_generator=ukify\n')],
      stub,
      'in /etc/kernel/cmdline: add intel_iommu=on; then run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz',
    ],
    [
      'dracut',
      [],
      [file('/etc/dracut.conf.d/uki.conf', 'uefi="yes"\n')],
      stub,
      'in kernel_cmdline= of /etc/dracut.conf.d: add intel_iommu=on; then run: dracut --force --regenerate-all',
    ],
    [
      'something that is not known, by its configuration alone',
      ['/etc/kernel/uki.conf'],
      [],
      {},
      'in /etc/kernel/cmdline: add intel_iommu=on; then make the image again',
    ],
  ])('of %s is only said what to do', (_, present, files, facts, help) =>
    expect(planBoot(host(present, files, facts))).toMatchObject({
      steps: [],
      findings: [{ code: 'boot-manual', help }],
    }),
  )

  it('that is only configured does not outrank a GRUB that ran', () =>
    expect(
      planBoot(
        host(
          ['/etc/kernel/uki.conf', '/boot/grub/grub.cfg', '/etc/default/grub', '/usr/sbin/update-grub'],
          [file('/etc/default/grub', '')],
          { cmdline: 'BOOT_IMAGE=/vmlinuz quiet' },
        ),
      ).steps.length,
    ).toBe(2))
})

describe('tools that write entries themselves', () => {
  const entries = ['/boot/efi/loader/entries', '/boot/efi/loader/loader.conf']
  it.each([
    [
      '/usr/bin/sdbootutil',
      'run: update-bootloader --del-option iommu=off && update-bootloader --add-option intel_iommu=on',
    ],
    [
      '/usr/bin/kernelstub',
      'run: kernelstub --delete-options iommu=off && kernelstub --add-options intel_iommu=on',
    ],
  ])('%s is said by its own command', (path, help) =>
    expect(
      planBoot(host([...entries, path], [], { cmdline: 'iommu=off', loaderInfo: 'systemd-boot 255' })),
    ).toMatchObject({ steps: [], findings: [{ code: 'boot-manual', help }] }),
  )
})
