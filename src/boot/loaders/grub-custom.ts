/**
 * Code for every kind of GRUB: its folder, and its trial, which is an entry in custom.cfg. GRUB reads
 * custom.cfg last, so the trial never becomes the first entry, which is the default.
 */
import type { BootFacts } from '../../host/boot-facts.ts'
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { TrialEntry } from '../trial/trial-args.ts'
import { imageAlone, no, trialFileStep, tryByHand, type TrialWay } from '../trial/trial-way.ts'
import { trialId, trialInitramfsName } from '../trial/trial.ts'
import type { Signs, TrialLeftovers } from './loader.ts'

export const grubName = 'GRUB'

export type Grub = {
  /** `/boot/grub` or `/boot/grub2`. */
  readonly folder: string
  /** Debian's grub-mkconfig also sources /etc/default/grub.d/*.cfg; upstream's does not. */
  readonly hasDropIns: boolean
  /** The command line is in entries of /boot/loader/entries (Fedora, RHEL). */
  readonly usesEntries: boolean
  readonly regenerate: readonly string[]
  /** proxmox-boot-tool copies everything to boot partitions that are not mounted, and GRUB runs from them. */
  readonly isCopied: boolean
}

/** Undefined when there is no GRUB that this program can change. */
export function findGrub({ has }: Pick<Signs, 'has'>): Grub | undefined {
  const folder = has('/boot/grub2/grub.cfg')
    ? '/boot/grub2'
    : has('/boot/grub/grub.cfg')
      ? '/boot/grub'
      : undefined
  if (folder === undefined || !has('/etc/default/grub')) return undefined
  // Only Debian has update-grub, and only its grub-mkconfig reads grub.d.
  const hasDropIns = has('/usr/sbin/update-grub')
  const mkconfig = has('/usr/sbin/grub2-mkconfig') ? 'grub2-mkconfig' : 'grub-mkconfig'
  return {
    folder,
    hasDropIns,
    usesEntries: has('/boot/loader/entries') && folder === '/boot/grub2',
    regenerate: hasDropIns ? ['update-grub'] : [mkconfig, '-o', `${folder}/grub.cfg`],
    isCopied: has('/etc/kernel/proxmox-boot-uuids'),
  }
}

export const grubSigns = {
  name: grubName,
  loaderInfo: /^grub\b/i,
  trace: /(?:^|\s)BOOT_IMAGE=/,
} as const

/** `before`: steps that come before the one that writes the entry. */
export type GrubEntry =
  | Extract<TrialEntry, { ok: false }>
  | { readonly ok: true; readonly text: string; readonly before: readonly Step[] }

/** `makeEntry` is called only when everything else allows a trial. */
export function grubTrial(host: Host, grub: Grub, makeEntry: () => GrubEntry): TrialWay {
  const { boot } = host
  if (grub.isCopied)
    return no('proxmox-boot-tool keeps what GRUB reads on partitions that are not mounted', tryByHand)
  if (!canGrubForget(boot?.grubFilesystem)) {
    const { device, type } = boot?.grubFilesystem ?? { device: 'a device', type: 'unknown' }
    return no(
      `GRUB cannot write its environment block on ${device} (${type}), so a bad trial ` +
        'would be started again and again',
      tryByHand,
    )
  }
  if (boot?.grubReadsCustom !== true) return no('grub.cfg does not read custom.cfg')
  const custom = customPath(grub.folder)
  if (boot.grubCustom === null) return no(`${custom} belongs to someone else`)
  const entry = makeEntry()
  if (!entry.ok) return entry
  return {
    ok: true,
    prepare: [],
    make: imageAlone(`/boot/${trialInitramfsName}`),
    entry: [...entry.before, ...trialFileStep(custom, boot.grubCustom, entry.text)],
    choose: chooseInGrub(grub, boot),
  }
}

/** grub-reboot follows a link, so the file behind the link is an output as well. */
function chooseInGrub({ folder }: Grub, { grubEnvironmentPath }: BootFacts): Step {
  return {
    kind: 'command',
    argv: [folder === '/boot/grub2' ? 'grub2-reboot' : 'grub-reboot', trialId],
    outputs: [`${folder}/grubenv`, ...(grubEnvironmentPath === undefined ? [] : [grubEnvironmentPath])],
    once: true,
    environment: true,
    purpose: 'trial',
    why: 'choose the trial for the next boot only',
  }
}

function customPath(folder: string): string {
  return `${folder}/custom.cfg`
}

export function grubLeftovers(host: Host, folder: string): TrialLeftovers {
  const custom = host.boot?.grubCustom
  return {
    entries: typeof custom === 'string' ? [{ path: customPath(folder), text: custom, mode: 0o644 }] : [],
    image: `/boot/${trialInitramfsName}`,
  }
}

/**
 * GRUB deletes its one-shot choice by writing the environment block, which it can do only in a file on a
 * plain partition. Elsewhere GRUB would start a bad trial entry again and again.
 */
export function canGrubForget(
  filesystem: { readonly type: string; readonly device: string } | undefined,
): boolean {
  if (filesystem === undefined) return false
  const plain = /^\/dev\/(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+p|mmcblk\d+p)\d*$/
  return plain.test(filesystem.device) && /^(?:ext[234]|vfat|xfs)$/.test(filesystem.type)
}
