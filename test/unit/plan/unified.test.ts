/**
 * Unified kernel images: who makes them, where their arguments are said, and what a second one is made from.
 */
import { describe, expect, it } from 'vitest'
import type { BootFacts } from '../../../src/host/boot-facts.ts'
import type { Host, HostFile } from '../../../src/host/host.ts'
import { planBoot as plan } from '../../../src/plan/changes/plan-boot.ts'
import { findUkiMaker } from '../../../src/boot/makers/makers.ts'
import { hostWith } from '../../support/host-builder.ts'

const release = '6.8.12-arch1-1'
const file = (path: string, text: string): HostFile => ({ path, text, mode: 0o644 })
const folder = '/efi/EFI/Linux'
const image = (name: string, of?: string) => ({
  name,
  bytes: 1000,
  ...(of === undefined ? {} : { release: of }),
})

function host(
  files: readonly HostFile[],
  facts: Partial<BootFacts> = {},
  cmdline = 'root=/dev/sda2 quiet',
): Host {
  const boot: BootFacts = {
    efi: true,
    present: ['/usr/bin/bootctl', '/usr/bin/dracut', '/usr/bin/ukify', '/run/systemd/system'],
    bootNames: [],
    stubInfo: 'systemd-stub 257',
    loaderInfo: 'systemd-boot 257',
    loaderEntries: { selected: `linux-${release}-abc.efi`, default: 'linux-*' },
    unified: { folder, images: [image(`linux-${release}-abc.efi`, release), image('rescue.efi')], hooks: [] },
    ...facts,
  }
  return { ...hostWith(), iommu: { state: 'off', kind: 'intel' }, kernel: { cmdline, release }, boot, files }
}

const planBoot = (of: Host, trial = false) => plan(of, { identities: [], trial })
const uefi = file('/etc/dracut.conf.d/10-uefi.conf', 'uefi="yes"\n')
const ukiLayout = file('/etc/kernel/install.conf', 'layout=uki\n')
const cmdlineFile = file('/etc/kernel/cmdline', 'root=/dev/sda2 quiet\n')

describe('what makes the images', () => {
  it.each<[string, readonly HostFile[], Partial<BootFacts>, string | undefined]>([
    ['dracut, by its folder', [uefi], {}, 'dracut'],
    ['dracut, by its one old file', [file('/etc/dracut.conf', '  uefi=yes\n')], {}, 'dracut'],
    ['dracut that is told not to', [file('/etc/dracut.conf', 'uefi=no\n#uefi=yes\n')], {}, undefined],
    ['ukify, as the one when none is named', [ukiLayout], {}, 'ukify'],
    [
      'ukify with keys of its own',
      [
        file('/etc/kernel/install.conf', 'layout="uki"\nuki_generator=ukify\n'),
        file('/etc/kernel/uki.conf', ''),
      ],
      {},
      'ukify',
    ],
    [
      'another generator',
      [file('/etc/kernel/install.conf', 'layout=uki\nuki_generator=mine\n'), uefi],
      {},
      undefined,
    ],
    ['ukify that is not there', [ukiLayout], { present: [] }, undefined],
    [
      'ukify where boots are counted',
      [ukiLayout],
      { present: ['/usr/bin/ukify', '/etc/kernel/tries'] },
      undefined,
    ],
    [
      'ukify where the administrator has hooks',
      [ukiLayout],
      { unified: { folder, images: [], hooks: ['95-sign.install'] } },
      undefined,
    ],
    ['another layout', [file('/etc/kernel/install.conf', 'layout=bls\n')], {}, undefined],
  ])('%s', (_, files, facts, maker) => expect(findUkiMaker(host(files, facts))?.name).toBe(maker))
})

describe('arguments in the configuration of dracut', () => {
  const edited = (...files: HostFile[]) => {
    const { steps, findings } = planBoot(host([uefi, ...files]))
    const texts = steps.flatMap((step) => (step.kind === 'file' ? [[step.path, step.after?.text]] : []))
    return {
      texts,
      findings,
      commands: steps.flatMap((step) => (step.kind === 'command' ? [step.argv.join(' ')] : [])),
    }
  }
  const made = [
    `dracut --force --uefi ${folder}/linux-${release}-abc.efi.handover ${release}`,
    `mv -f ${folder}/linux-${release}-abc.efi.handover ${folder}/linux-${release}-abc.efi`,
  ]

  it.each<[string, HostFile[], [string, string][]]>([
    [
      'one line',
      [file('/etc/dracut.conf', "# mine\nkernel_cmdline='root=/dev/sda2 quiet'\n")],
      [['/etc/dracut.conf', "# mine\nkernel_cmdline='root=/dev/sda2 quiet intel_iommu=on'\n"]],
    ],
    [
      'the file that has the last word',
      [
        file('/etc/dracut.conf.d/90.conf', 'kernel_cmdline+=" quiet "\n'),
        file('/etc/dracut.conf.d/20.conf', 'kernel_cmdline="root=/dev/sda2"\n'),
      ],
      [['/etc/dracut.conf.d/90.conf', 'kernel_cmdline+=" quiet intel_iommu=on "\n']],
    ],
    [
      'an empty word that is appended',
      [file('/etc/dracut.conf.d/20.conf', 'kernel_cmdline="root=/dev/sda2"\nkernel_cmdline+=""\n')],
      [
        [
          '/etc/dracut.conf.d/20.conf',
          'kernel_cmdline="root=/dev/sda2"\nkernel_cmdline+=" intel_iommu=on"\n',
        ],
      ],
    ],
  ])('are written into %s', (_, files, texts) =>
    expect(edited(...files)).toEqual({ texts, findings: [], commands: made }),
  )

  it('are taken out of every file', () => {
    const off = [
      file('/etc/dracut.conf', 'kernel_cmdline="root=/dev/sda2 intel_iommu=off"\n'),
      file('/etc/dracut.conf.d/90.conf', 'kernel_cmdline+=" intel_iommu=off quiet"\n'),
    ]
    const { steps } = planBoot(host([uefi, ...off], {}, 'root=/dev/sda2 intel_iommu=off quiet'))
    expect(steps.map((step) => (step.kind === 'file' ? step.after?.text : step.kind))).toEqual([
      'kernel_cmdline="root=/dev/sda2"\n',
      'kernel_cmdline+=" quiet intel_iommu=on"\n',
      'command',
      'command',
    ])
  })

  it.each<[string, HostFile[], RegExp]>([
    [
      'no file says them',
      [],
      /as kernel_cmdline="…" into a file of \/etc\/dracut\.conf\.d: add intel_iommu=on/,
    ],
    [
      'they hang on a condition',
      [file('/etc/dracut.conf', 'if true; then kernel_cmdline=a; fi\n')],
      /\/etc\/dracut\.conf is not understood \(kernel_cmdline is set last inside a condition\)/,
    ],
  ])('are only said when %s', (_, files, help) => {
    const { texts, findings, commands } = edited(...files)
    expect([texts, commands]).toEqual([[], []])
    expect(findings).toMatchObject([{ code: 'boot-manual', help: expect.stringMatching(help) }])
  })
})

it('images that are out of sight are not made again, and root is said to see more', () => {
  const { unified: _, ...boot } = host([]).boot ?? { efi: true, present: [], bootNames: [] }
  const blind = { ...host([uefi, file('/etc/dracut.conf', 'kernel_cmdline=a\n')]), boot }
  expect(planBoot(blind)).toMatchObject({
    steps: [],
    findings: [
      {
        code: 'boot-manual',
        message: expect.stringContaining('none of which can be seen (root may see more)'),
        help: 'in kernel_cmdline= of /etc/dracut.conf.d: add intel_iommu=on; then run: dracut --force --regenerate-all',
      },
    ],
  })
})

describe('the trial', () => {
  const line = file('/etc/dracut.conf', 'kernel_cmdline="root=/dev/sda2 quiet"\n')
  const commandsOf = (of: Host) => {
    const { steps, findings } = planBoot(of, true)
    return findings
      .map(({ message }) => message)
      .concat(steps.flatMap((step) => (step.kind === 'command' ? [step.argv.join(' ')] : [])))
  }

  it('of dracut has the running arguments and the change, whatever its files say', () => {
    const { steps } = planBoot(host([uefi, line], {}, "root=/dev/sda2 quiet name='x y'"), true)
    const conf = steps.find((step) => step.kind === 'file' && step.path.includes('/dracut.d/'))
    expect(conf?.kind === 'file' && conf.after?.text).toContain(
      String.raw`kernel_cmdline='root=/dev/sda2 quiet name='\''x y'\'' intel_iommu=on panic=30`,
    )
    expect(commandsOf(host([uefi, line]))).toEqual([
      `dracut --force --confdir /run/handover-trial/dracut.d --uefi ${folder}/handover-trial.efi ${release}`,
      'bootctl set-oneshot handover-trial.efi',
    ])
  })

  it('of ukify signs with the keys that are named, and takes the kernel from where it lies', () =>
    expect(
      commandsOf(
        host([ukiLayout, cmdlineFile, file('/etc/kernel/uki.conf', '[UKI]\nSecureBootPrivateKey=/k\n')], {
          secureBoot: true,
          loaderEntries: { selected: `token-${release}.efi`, default: 'token-*' },
          unified: { folder, images: [image(`token-${release}.efi`, release)], hooks: [] },
        }),
      ),
    ).toEqual([
      `dracut --force /run/handover-trial/initrd.img ${release}`,
      `ukify build --config=/etc/kernel/uki.conf --linux=/lib/modules/${release}/vmlinuz --initrd=/run/handover-trial/initrd.img --cmdline=@/run/handover-trial/cmdline --uname=${release} --os-release=@/etc/os-release --output=${folder}/handover-trial.efi`,
      'rm -f /run/handover-trial/initrd.img',
      'bootctl set-oneshot handover-trial.efi',
    ]))

  it('of mkinitcpio is made beside what its presets name', () => {
    const preset = file('/etc/mkinitcpio.d/linux.preset', `default_uki="${folder}/arch-linux.efi"\n`)
    const arch: Partial<BootFacts> = {
      present: ['/usr/bin/bootctl', '/usr/bin/mkinitcpio', '/etc/mkinitcpio.conf', '/run/systemd/system'],
      loaderEntries: { selected: 'arch-linux.efi', default: 'arch-linux.efi' },
      unified: { folder, images: [image('arch-linux.efi')], hooks: [] },
    }
    expect(commandsOf(host([preset, cmdlineFile], arch))).toEqual([
      `mkinitcpio -k ${release} --cmdline /run/handover-trial/cmdline -U ${folder}/handover-trial.efi`,
      'bootctl set-oneshot handover-trial.efi',
    ])
  })

  it('needs room for a second image', () =>
    expect(
      commandsOf(
        host([uefi, line], {
          unified: {
            folder,
            images: [image(`linux-${release}-abc.efi`, release)],
            hooks: [],
            freeBytes: 1 << 20,
          },
        }),
      ),
    ).toEqual([
      expect.stringContaining(
        `the partition of ${folder} has 1 MiB left, and a second kernel image needs 8 MiB`,
      ),
    ]))

  it('is for the kernel that runs', () =>
    expect(
      commandsOf(
        host([uefi, line], {
          loaderEntries: { selected: 'linux-6.7-abc.efi', default: 'linux-*' },
          unified: {
            folder,
            images: [image('linux-6.7-abc.efi', '6.7'), image(`linux-${release}-abc.efi`, release)],
            hooks: [],
          },
        }),
      ),
    ).toEqual([
      expect.stringContaining(
        `linux-6.7-abc.efi, which was booted, is for another kernel than the running ${release}`,
      ),
    ]))
})
