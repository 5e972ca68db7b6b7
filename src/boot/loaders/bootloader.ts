/**
 * Which boot loader really starts this machine, by evidence: what ran last outranks what is installed, and two that could
 * both have run are a finding, not a coin toss. Immutable systems are recognised so that nothing is written there.
 */
import { hasPath, type BootPath } from '../boot-paths.ts'

export type BootEvidence = {
  readonly efi: boolean
  readonly loaderInfo?: string
  /** EFI variable StubInfo: systemd's stub ran, so what was booted is a unified kernel image. */
  readonly stubInfo?: string
  readonly present: readonly string[]
  /** /proc/cmdline: GRUB and syslinux put BOOT_IMAGE= there, systemd-boot `initrd=\…`. */
  readonly cmdline: string
  /** A folder of entries in which there are some; the others may be empty (an ESP whose entries lie on XBOOTLDR). */
  readonly entries?: string
}

export type Bootloader =
  | {
      readonly kind: 'grub'
      /** `/boot/grub` or `/boot/grub2`. */
      readonly folder: string
      /** Debian's grub-mkconfig also sources /etc/default/grub.d/*.cfg; upstream's does not. */
      readonly hasDropIns: boolean
      /** Entries in /boot/loader/entries carry the command line (Fedora, RHEL). */
      readonly usesEntries: boolean
      readonly regenerate: readonly string[]
      /** proxmox-boot-tool copies everything to boot partitions that are not mounted; GRUB runs from those. */
      readonly isCopied?: true
    }
  | { readonly kind: 'systemd-boot'; readonly entries: string }
  | { readonly kind: 'proxmox' }
  /** Kernel, initramfs and arguments in one file, made by a tool that is told by its own configuration. */
  | { readonly kind: 'uki' }
  /** Told in words what to do; nothing is ever written. */
  | { readonly kind: 'manual'; readonly system: string; readonly how: string; readonly words: Wording }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly string[] }
  | { readonly kind: 'unknown' }

/** How arguments are said in the help line: in plain words, or as one of these tools takes them. */
export type Wording = 'plain' | 'nixos' | 'rpm-ostree' | 'update-bootloader' | 'kernelstub'

type Manual = Extract<Bootloader, { kind: 'manual' }>

/** `ARGS` in `how` stands for the arguments. */
const immutable: readonly (readonly [path: BootPath, manual: Omit<Manual, 'kind'>])[] = [
  [
    '/etc/NIXOS',
    { system: 'NixOS', how: 'set boot.kernelParams = [ ARGS ]; and run: nixos-rebuild boot', words: 'nixos' },
  ],
  ['/run/ostree-booted', { system: 'an ostree system', how: 'run: rpm-ostree kargs ARGS', words: 'rpm-ostree' }],
  [
    '/etc/unraid-version',
    { system: 'Unraid', how: 'edit the append line in /boot/syslinux/syslinux.cfg: ARGS', words: 'plain' },
  ],
]

/** Tools that write boot entries from a configuration of their own, and would undo what is edited there. */
const writers: readonly (readonly [path: BootPath, manual: Omit<Manual, 'kind'>])[] = [
  [
    '/usr/bin/sdbootutil',
    { system: 'entries that sdbootutil writes', how: 'run: update-bootloader ARGS', words: 'update-bootloader' },
  ],
  [
    '/usr/bin/kernelstub',
    { system: 'entries that kernelstub writes', how: 'run: kernelstub ARGS', words: 'kernelstub' },
  ],
]

export function findBootloader(evidence: BootEvidence): Bootloader {
  const has = (path: BootPath) => hasPath(evidence.present, path)
  for (const [path, manual] of immutable) if (has(path)) return { kind: 'manual', ...manual }
  if (evidence.stubInfo !== undefined) return { kind: 'uki' }
  const grub = grubOf(has)
  const systemd = systemdBootOf(has, evidence.entries)
  const candidates = [...(grub ? ['GRUB'] : []), ...(systemd ? ['systemd-boot'] : [])]
  const ran = loaderThatRan(evidence)
  if (has('/etc/kernel/proxmox-boot-uuids') && ran !== 'grub') return { kind: 'proxmox' }
  if (ran !== 'grub' && has('/etc/kernel/uki.conf') && evidence.entries === undefined) return { kind: 'uki' }
  if (ran !== 'grub' || grub === undefined)
    for (const [path, manual] of writers) if (has(path)) return { kind: 'manual', ...manual }
  if (ran === 'grub' && grub) return has('/etc/kernel/proxmox-boot-uuids') ? { ...grub, isCopied: true } : grub
  if (ran === 'systemd-boot' && systemd) return systemd
  // What ran is not what lies here: its files are out of sight, and the other loader's would change nothing.
  if (ran !== undefined) return { kind: 'unknown' }
  if (candidates.length > 1) return { kind: 'ambiguous', candidates }
  return grub ?? systemd ?? { kind: 'unknown' }
}

function loaderThatRan({ loaderInfo, cmdline }: BootEvidence): 'grub' | 'systemd-boot' | undefined {
  if (loaderInfo !== undefined) {
    if (/^systemd-boot\b/i.test(loaderInfo)) return 'systemd-boot'
    if (/^grub\b/i.test(loaderInfo)) return 'grub'
  }
  if (/(?:^|\s)BOOT_IMAGE=/.test(cmdline)) return 'grub'
  if (/(?:^|\s)initrd=\\/.test(cmdline)) return 'systemd-boot'
  return undefined
}

function grubOf(has: (path: BootPath) => boolean): Extract<Bootloader, { kind: 'grub' }> | undefined {
  const folder = has('/boot/grub2/grub.cfg') ? '/boot/grub2' : has('/boot/grub/grub.cfg') ? '/boot/grub' : undefined
  if (folder === undefined || !has('/etc/default/grub')) return undefined
  const regenerate = has('/usr/sbin/update-grub')
    ? ['update-grub']
    : [has('/usr/sbin/grub2-mkconfig') ? 'grub2-mkconfig' : 'grub-mkconfig', '-o', `${folder}/grub.cfg`]
  return {
    kind: 'grub',
    folder,
    // update-grub is Debian's; so is the loop over grub.d in its grub-mkconfig.
    hasDropIns: has('/usr/sbin/update-grub'),
    usesEntries: has('/boot/loader/entries') && folder === '/boot/grub2',
    regenerate,
  }
}

function systemdBootOf(
  has: (path: BootPath) => boolean,
  entries: string | undefined,
): Extract<Bootloader, { kind: 'systemd-boot' }> | undefined {
  const folders = ['/efi/loader', '/boot/efi/loader', '/boot/loader'] as const
  const configured = folders.filter((folder) => has(`${folder}/loader.conf`))
  if (configured.length === 0) return undefined
  const own = folders.find((folder) => entries === `${folder}/entries`)
  const folder = own ?? configured.find((one) => has(`${one}/entries`))
  return folder === undefined ? undefined : { kind: 'systemd-boot', entries: `${folder}/entries` }
}

/**
 * GRUB clears its one-shot choice by writing to the environment block, which it can do only in a plain file on a plain
 * partition. Elsewhere a bad trial entry would be chosen again and again.
 */
export function canGrubForget(filesystem: { readonly type: string; readonly device: string } | undefined): boolean {
  if (filesystem === undefined) return false
  const isPlain = /^\/dev\/(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+p|mmcblk\d+p)\d*$/.test(filesystem.device)
  return isPlain && /^(?:ext[234]|vfat|xfs)$/.test(filesystem.type)
}
