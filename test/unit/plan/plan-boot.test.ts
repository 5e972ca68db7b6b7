import { describe, expect, it } from 'vitest'
import type { BootFacts } from '../../../src/host/boot-facts.ts'
import type { Host, HostFile } from '../../../src/host/host.ts'
import { grubDropIn } from '../../../src/boot/loaders/grub.ts'
import { bootChange, planBoot as plan } from '../../../src/plan/changes/plan-boot.ts'
import { hostWith } from '../../support/host-builder.ts'

const planBoot = (of: Host) => plan(of, { identities: [], trial: false })

const debian = ['/boot/grub/grub.cfg', '/etc/default/grub', '/usr/sbin/update-grub']
const grub: HostFile = {
  path: '/etc/default/grub',
  text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
  mode: 0o640,
}

function host(present: readonly string[], files: readonly HostFile[], facts: Partial<Host> = {}): Host {
  const boot: BootFacts = { efi: false, present, bootNames: [] }
  return {
    ...hostWith(),
    iommu: { state: 'off', kind: 'intel' },
    kernel: { cmdline: 'BOOT_IMAGE=/vmlinuz quiet' },
    boot,
    files,
    ...facts,
  }
}

describe('the kernel command line a host needs', () => {
  it.each<[string, Partial<Host>, object | undefined]>([
    ['an Intel host whose kernel leaves it off', {}, { add: ['intel_iommu=on'], remove: [] }],
    [
      'one where somebody switched it off',
      { kernel: { cmdline: 'intel-iommu=off' } },
      { add: ['intel_iommu=on'], remove: ['intel-iommu=off'] },
    ],
    [
      'an AMD host with iommu=off',
      { iommu: { state: 'off', kind: 'amd' }, kernel: { cmdline: 'iommu=off' } },
      { add: [], remove: ['iommu=off'] },
    ],
    ['an AMD host without a parameter: none helps', { iommu: { state: 'off', kind: 'amd' } }, undefined],
    ['one where it is asked for and did not come', { kernel: { cmdline: 'intel_iommu=on' } }, undefined],
    ['one where it is on', { iommu: { state: 'on', kind: 'intel' } }, undefined],
  ])('of %s', (_, facts, expected) => expect(bootChange(host([], [], facts))).toEqual(expected))
})

describe('further kernel arguments', () => {
  it.each<[string, Partial<Host>, Parameters<typeof bootChange>[1], object | undefined]>([
    [
      'are wanted with the IOMMU on, too',
      { iommu: { state: 'on', kind: 'intel' } },
      { arguments: ['iommu=pt'] },
      { add: ['iommu=pt'], remove: [] },
    ],
    [
      'are compared as the kernel compares them',
      { iommu: { state: 'on', kind: 'intel' }, kernel: { cmdline: 'vfio_pci.disable_idle_d3=1' } },
      { arguments: ['vfio-pci.disable_idle_d3=1'] },
      undefined,
    ],
    [
      'come after what the IOMMU needs, and once',
      {},
      { arguments: ['intel_iommu=on', 'iommu=pt'] },
      { add: ['intel_iommu=on', 'iommu=pt'], remove: [] },
    ],
    [
      'come alone where no device leaves',
      {},
      { arguments: ['iommu=pt'], iommu: false },
      { add: ['iommu=pt'], remove: [] },
    ],
  ])('%s', (_, facts, wish, expected) => expect(bootChange(host([], [], facts), wish)).toEqual(expected))
})

describe('plan-boot', () => {
  it('adds by a drop-in of our own on Debian, and regenerates', () => {
    const plan = planBoot(host(debian, [grub]))
    expect(plan.findings).toEqual([])
    expect(plan.needsReboot).toBe(true)
    expect(plan.steps).toMatchObject([
      { kind: 'file', path: grubDropIn, before: null, after: { mode: 0o644 } },
      {
        kind: 'command',
        argv: ['update-grub'],
        outputs: ['/boot/grub/grub.cfg', '/boot/grub/grub.cfg.new', '/boot/grub/grubenv'],
      },
    ])
    const [step] = plan.steps
    expect(step?.kind === 'file' && step.after?.text).toMatch(
      /^# Written by handover.*\nGRUB_CMDLINE_LINUX_DEFAULT="\$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=on"\n$/,
    )
  })

  it('has no steps, but still needs a reboot, when the files say so already', () => {
    const [step] = planBoot(host(debian, [grub])).steps
    const text = step?.kind === 'file' ? (step.after?.text ?? '') : ''
    expect(planBoot(host(debian, [grub, { path: grubDropIn, text, mode: 0o644 }]))).toEqual({
      steps: [],
      findings: [],
      needsReboot: true,
    })
  })

  it('keeps in the drop-in what an earlier apply put there', () => {
    const [step] = planBoot(host(debian, [grub])).steps
    const text = step?.kind === 'file' ? (step.after?.text ?? '') : ''
    const running = {
      iommu: { state: 'on', kind: 'intel' },
      kernel: { cmdline: 'quiet intel_iommu=on' },
    } as const
    const later = host(debian, [grub, { path: grubDropIn, text, mode: 0o644 }], running)
    const [next] = plan(later, { identities: [], trial: false, arguments: ['iommu=pt', 'quiet'] }).steps
    expect(next).toMatchObject({ path: grubDropIn, before: { text } })
    expect(next?.kind === 'file' && next.after?.text).toContain('_DEFAULT intel_iommu=on iommu=pt"\n')
  })

  it('edits in place where there are no drop-ins, keeping the mode', () => {
    const plan = planBoot(host(debian.slice(0, 2), [grub]))
    expect(plan.steps[0]).toMatchObject({
      path: '/etc/default/grub',
      before: { text: grub.text, mode: 0o640 },
      after: { text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n', mode: 0o640 },
    })
  })

  it('removes what switched it off, wherever it is written', () => {
    const other: HostFile = {
      path: '/etc/default/grub.d/vendor.cfg',
      text: "GRUB_CMDLINE_LINUX='intel_iommu=off a'\n",
      mode: 0o644,
    }
    const plan = planBoot(host(debian, [grub, other], { kernel: { cmdline: 'intel_iommu=off' } }))
    expect(plan.steps.map((step) => ('path' in step ? step.path : step.kind))).toEqual([
      other.path,
      grubDropIn,
      'command',
    ])
    expect(plan.steps[0]).toMatchObject({ after: { text: "GRUB_CMDLINE_LINUX='a'\n" } })
  })

  it('edits every Linux entry and the template of new ones under systemd-boot', () => {
    const present = ['/boot/efi/loader/entries', '/boot/efi/loader/loader.conf']
    const files: HostFile[] = [
      {
        path: '/boot/efi/loader/entries/debian.conf',
        text: 'title Debian\nlinux /vmlinuz\noptions root=/dev/vda2 quiet\n',
        mode: 0o755,
      },
      {
        path: '/boot/efi/loader/entries/memtest.conf',
        text: 'title Memtest\nefi /memtest.efi\n',
        mode: 0o755,
      },
      { path: '/etc/kernel/cmdline', text: 'root=/dev/vda2 quiet\n', mode: 0o644 },
    ]
    expect(
      planBoot(host(present, files, { kernel: { cmdline: 'root=/dev/vda2 quiet' } })).steps,
    ).toMatchObject([
      {
        path: files[0]?.path,
        after: { text: 'title Debian\nlinux /vmlinuz\noptions root=/dev/vda2 quiet intel_iommu=on\n' },
      },
      { path: '/etc/kernel/cmdline', after: { text: 'root=/dev/vda2 quiet intel_iommu=on\n' } },
    ])
  })

  it.each<[string, readonly string[], readonly HostFile[], string, string]>([
    [
      'NixOS',
      ['/etc/NIXOS'],
      [],
      'boot-manual',
      'set boot.kernelParams = [ "intel_iommu=on" ]; and run: nixos-rebuild boot',
    ],
    ['ostree', ['/run/ostree-booted'], [], 'boot-manual', 'run: rpm-ostree kargs --append=intel_iommu=on'],
    [
      'two loaders',
      [...debian, '/efi/loader/entries', '/efi/loader/loader.conf'],
      [grub],
      'boot-ambiguous',
      'find out which one starts this machine, and change its kernel command line: add intel_iommu=on',
    ],
    [
      'a GRUB file with an open quote',
      debian.slice(0, 2),
      [{ ...grub, text: 'A="\n' }],
      'boot-manual',
      '/etc/default/grub is not understood (a quote that is never closed at line 1); there: add intel_iommu=on; then run: grub-mkconfig -o /boot/grub/grub.cfg',
    ],
    [
      'a GRUB file that is no UTF-8',
      debian.slice(0, 2),
      [{ ...grub, text: '# gr\ufffdn\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' }],
      'boot-manual',
      'there: add intel_iommu=on; or save it as UTF-8',
    ],
    ['no loader', [], [], 'boot-manual', 'change the kernel command line: add intel_iommu=on'],
  ])('writes nothing on %s and says the exact change', (name, present, files, code, help) => {
    const facts = name === 'two loaders' ? { kernel: { cmdline: 'quiet' } } : {}
    const plan = planBoot(host(present, files, facts))
    expect(plan).toMatchObject({
      steps: [],
      needsReboot: false,
      findings: [{ code, severity: 'error', help }],
    })
  })
})
