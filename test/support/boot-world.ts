/**
 * Hosts whose boot entries are files, for tests that end the world in the middle: the files a trial and its
 * confirmation start from, the steps that the real planner makes of them, and programs in their careless way
 * (nothing is synced).
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { oneShotVariable } from '../../src/boot/loaders/loader-interface.ts'
import type { BootFacts } from '../../src/host/boot-facts.ts'
import type { Host, HostFile } from '../../src/host/host.ts'
import type { Identity } from '../../src/pci/identity.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import type { Step } from '../../src/steps/step.ts'
import type { BreakingDisk } from './breaking-disk.ts'
import { put } from './fake-kernel.ts'
import { hostWith } from './host-builder.ts'

export type BootScenario = { readonly steps: readonly Step[]; readonly files: readonly HostFile[] }

const release = '6.1.0-9'
const options = 'root=UUID=1 ro quiet'
const unifiedImage = `/boot/efi/EFI/Linux/linux-${release}.efi`
const entryText = (folder: string) =>
  `title Linux\nversion ${release}\nsort-key linux\nlinux ${folder}/linux\ninitrd ${folder}/initrd\noptions ${options}\n`

const good: Record<
  Kind,
  { readonly files: readonly HostFile[]; readonly boot: BootFacts; readonly cmdline: string }
> = {
  'systemd-boot': {
    files: [
      { path: '/boot/efi/loader/loader.conf', text: 'timeout 3\n', mode: 0o755 },
      { path: '/boot/efi/loader/entries/token.conf', text: entryText('/token'), mode: 0o755 },
      { path: '/boot/efi/token/initrd', text: 'the good initramfs', mode: 0o755 },
    ],
    boot: {
      efi: true,
      loaderInfo: 'systemd-boot 252.39',
      present: [
        '/sys/firmware/efi',
        '/boot/efi/loader/loader.conf',
        '/boot/efi/loader/entries',
        '/usr/bin/bootctl',
        '/usr/bin/kernel-install',
        '/usr/bin/dracut',
        '/run/systemd/system',
      ],
      bootNames: [],
      loaderEntries: { selected: 'token.conf' },
      entryImages: [
        { entry: '/boot/efi/loader/entries/token.conf', path: '/boot/efi/token/initrd', bytes: 18, release },
      ],
    },
    cmdline: options,
  },
  grub: {
    files: [
      { path: '/boot/loader/entries/token.conf', text: entryText(''), mode: 0o644 },
      { path: '/boot/initrd', text: 'the good initramfs', mode: 0o600 },
      { path: '/boot/grub2/grubenv', text: 'saved_entry=token\n', mode: 0o644 },
      { path: '/etc/kernel/cmdline', text: `${options}\n`, mode: 0o644 },
    ],
    boot: {
      efi: false,
      present: [
        '/boot/grub2/grub.cfg',
        '/etc/default/grub',
        '/boot/loader/entries',
        '/usr/sbin/grubby',
        '/usr/bin/dracut',
        '/run/systemd/system',
      ],
      bootNames: [],
      grubReadsCustom: true,
      grubFilesystem: { type: 'ext4', device: '/dev/sda1' },
      entryImages: [{ entry: '/boot/loader/entries/token.conf', path: '/boot/initrd', bytes: 18, release }],
    },
    cmdline: `BOOT_IMAGE=(hd0,gpt2)/linux ${options}`,
  },
  unified: {
    files: [
      { path: '/boot/efi/loader/loader.conf', text: 'default linux-*\n', mode: 0o755 },
      { path: unifiedImage, text: 'the good image', mode: 0o755 },
      { path: '/etc/dracut.conf', text: `uefi=yes\nkernel_cmdline="${options}"\n`, mode: 0o644 },
    ],
    boot: {
      efi: true,
      loaderInfo: 'systemd-boot 252.39',
      stubInfo: 'systemd-stub 252.39',
      present: ['/sys/firmware/efi', '/usr/bin/bootctl', '/usr/bin/dracut', '/run/systemd/system'],
      bootNames: [],
      loaderEntries: { selected: `linux-${release}.efi` },
      unified: {
        folder: '/boot/efi/EFI/Linux',
        images: [{ name: `linux-${release}.efi`, bytes: 14, release }],
        hooks: [],
      },
    },
    cmdline: options,
  },
}

type Kind = 'systemd-boot' | 'grub' | 'unified'

function hostOf(kind: Kind, files: readonly HostFile[], facts: Partial<Host>): Host {
  const custom = files.find(({ path }) => path === '/boot/grub2/custom.cfg')?.text
  const boot = { ...good[kind].boot, ...(custom === undefined ? {} : { grubCustom: custom }) }
  return { ...hostWith(), kernel: { release, cmdline: good[kind].cmdline }, files, boot, ...facts }
}

/** Of our own files only what counts here: each of them is one more file that is created. */
const isPlainOwnFile = (step: Step) =>
  step.kind === 'file' &&
  /^\/(?:etc\/(?:udev|systemd|modules-load\.d|dracut)|usr|etc\/handover\/(?:bind|trial)$)/.test(step.path)

export function trialOf(kind: Kind, identities: readonly Identity[]): BootScenario {
  const { files } = good[kind]
  const plan = planBoot(hostOf(kind, files, { iommu: { state: 'off', kind: 'intel' } }), {
    identities,
    trial: true,
  })
  return { files, steps: plan.steps.filter((step) => !isPlainOwnFile(step)) }
}

export function confirmOf(kind: Kind, identities: readonly Identity[]): BootScenario {
  const made = trialOf(kind, identities).steps.flatMap((step): HostFile[] => {
    // The reboot into the trial has emptied it.
    if (step.kind === 'file' && step.path.startsWith('/run/')) return []
    if (step.kind === 'file' && step.after !== null) return [{ path: step.path, ...step.after }]
    const [image] = step.kind === 'command' && step.argv[0] === 'dracut' ? step.outputs : []
    return image === undefined ? [] : [{ path: image, text: 'the initramfs of the trial', mode: 0o600 }]
  })
  const files = [...good[kind].files, ...made]
  return { files, steps: planConfirm(hostOf(kind, files, {})).steps }
}

export function putFiles(root: string, files: readonly HostFile[]): void {
  for (const { path, text, mode } of files) put(root, path, text, mode)
}

/** What the named program does to the tree; false for one that is not known here. */
export function runProgram(root: string, breaking: BreakingDisk, argv: readonly string[]): boolean {
  const { disk } = breaking
  const write = (path: string, text: string) => {
    const fd = disk.open(join(root, path), 'create')
    try {
      disk.write(fd, text)
    } finally {
      disk.close(fd)
    }
  }
  const remove = (path: string) => {
    if (fs.existsSync(join(root, path))) disk.unlink(join(root, path))
  }
  const [program = '', ...args] = argv
  const [first = '', second = '', third = ''] = args
  switch (program) {
    case 'dracut':
      write(args.at(-2) ?? '', `an initramfs for ${args.at(-1)}`)
      return true
    case 'mv':
      disk.rename(join(root, second), join(root, third))
      return true
    case 'rm':
      remove(second)
      return true
    case 'bootctl':
      if (second === '') remove(oneShotVariable)
      else write(oneShotVariable, `\u0007   ${second}`)
      return true
    case 'grub2-reboot':
      write('/boot/grub2/grubenv', `next_entry=${first}\n`)
      return true
    case 'grubby':
      for (const path of ['/boot/loader/entries/token.conf', '/etc/kernel/cmdline']) {
        const temporary = `${path.slice(0, path.lastIndexOf('/'))}/sedW1cK3d`
        write(temporary, fs.readFileSync(join(root, path), 'utf8').replace(/quiet$/m, 'quiet intel_iommu=on'))
        disk.rename(join(root, temporary), join(root, path))
      }
      return true
    default:
      return false
  }
}
