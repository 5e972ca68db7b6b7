/**
 * How each boot loader gets an entry for one boot: where its initramfs lies, which file the entry is, what chooses it once.
 * A loader that cannot be trusted to forget the choice has no way: the reason is said.
 */
import { canGrubForget, type Bootloader } from '../loaders/bootloader.ts'
import { blsFolder, kernelCmdlinePath, readEntry } from '../loaders/bls.ts'
import type { TrialEntry, TrialWish } from './trial-args.ts'
import { findStartedEntry, makeTrialEntryFile, trialEntryName, whyTrialMayBeDefault } from './trial-entries.ts'
import { makeTrialEntry, makeTrialEntryFromBls, startedImage } from './trial-grub.ts'
import { trialId } from './trial.ts'
import type { Host, HostFile } from '../../host/host.ts'
import { filesIn, type BootChange } from '../loaders/boot-steps.ts'
import { loaderOf } from '../loaders/loader-of.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath, type BootPath } from '../boot-paths.ts'
import { makeImage } from '../initramfs/initramfs-steps.ts'
import { unifiedTrialImage, unifiedWay } from './trial-unified.ts'
import { chooseOnce, no, whyTooSmall, type TrialWay } from './trial-way.ts'

type Grub = Extract<Bootloader, { kind: 'grub' }>
type SystemdBoot = Extract<Bootloader, { kind: 'systemd-boot' }>

const imageName = 'handover-trial.img'

export function findTrialWay(host: Host, change: BootChange): TrialWay {
  const loader = loaderOf(host)
  const wish = { ...change, initramfs: imageName }
  switch (loader.kind) {
    case 'grub':
      return grubWay(host, loader, wish)
    case 'systemd-boot':
      return systemdWay(host, loader, wish)
    case 'proxmox':
      return no(
        'proxmox-boot-tool keeps the entries on partitions that are not mounted, and makes them all alike',
        byHand,
      )
    case 'uki':
      return unifiedWay(host, change)
    case 'manual':
    case 'ambiguous':
    case 'unknown':
      return no('a trial entry is known only for GRUB and systemd-boot')
  }
}

const byHand = 'try it for one boot by hand: in the boot menu press e and write the change there'

function grubWay(host: Host, loader: Grub, wish: TrialWish): TrialWay {
  const { boot } = host
  if (loader.isCopied) return no('proxmox-boot-tool keeps what GRUB reads on partitions that are not mounted', byHand)
  if (!canGrubForget(boot?.grubFilesystem)) {
    const { device, type } = boot?.grubFilesystem ?? { device: 'a device', type: 'unknown' }
    return no(
      `GRUB cannot write its environment block on ${device} (${type}), so a bad trial would be started again and again`,
      byHand,
    )
  }
  if (boot?.grubReadsCustom !== true) return no('grub.cfg does not read custom.cfg')
  if (boot.grubCustom === null) return no(`${loader.folder}/custom.cfg belongs to someone else`)
  const entry = loader.usesEntries ? blsEntry(host, wish) : grubEntry(host, wish)
  if (!entry.ok) return entry
  return {
    ok: true,
    prepare: [],
    make: imageAlone(`/boot/${imageName}`),
    entry: [...entry.before, ...fileStep(`${loader.folder}/custom.cfg`, boot.grubCustom, entry.text)],
    choose: {
      kind: 'command',
      argv: [loader.folder === '/boot/grub2' ? 'grub2-reboot' : 'grub-reboot', trialId],
      outputs: environmentOf(loader, boot),
      once: true,
      environment: true,
      purpose: 'trial',
      why: 'choose the trial for the next boot only',
    },
  }
}

/** A link is followed by grub-reboot: the file behind it is what changes. */
function environmentOf(loader: Grub, boot: Host['boot']): string[] {
  const real = boot?.grubEnvironmentPath
  return [`${loader.folder}/grubenv`, ...(real === undefined ? [] : [real])]
}

type WithTemplate =
  Extract<TrialEntry, { ok: false }> | { readonly ok: true; readonly text: string; readonly before: readonly Step[] }

function grubEntry(host: Host, wish: TrialWish): WithTemplate {
  const entry = host.boot?.grubEntry
  if (entry === undefined) return { ok: false, reason: 'no entry of grub.cfg started the running kernel' }
  const made = makeTrialEntry(entry, wish)
  return made.ok ? { ...made, before: [] } : made
}

/**
 * Without a template kernel-install gives a kernel that is installed meanwhile the running command line: on a trial boot that
 * has the trial's token (90-loaderentry.install, Fedora's 20-grub.install).
 */
function templateStep(host: Host, options: string): Step[] {
  const has = (one: BootPath) => hasPath(host.boot?.present, one)
  if (!has('/usr/bin/kernel-install') || has('/usr/lib/kernel/cmdline')) return []
  if (host.files?.some(({ path }) => path === kernelCmdlinePath) === true || options === '' || options.includes('$'))
    return []
  const why = 'kernels installed during the trial get the arguments of the good entry'
  return [{ kind: 'file', path: kernelCmdlinePath, before: null, after: { text: `${options}\n`, mode: 0o644 }, why }]
}

/** Fedora's grub.cfg holds no entries: the one whose kernel is BOOT_IMAGE= is the one that started this machine. */
function blsEntry(host: Host, wish: TrialWish): WithTemplate {
  const image = startedImage(host.kernel.cmdline ?? '')
  const started = filesIn(host, blsFolder).filter(({ text }) => readEntry(text).linux === image)
  const [entry] = started
  if (image === undefined || entry === undefined || started.length > 1)
    return { ok: false, reason: `no single entry of ${blsFolder} started the running kernel` }
  const kernelopts = host.boot?.kernelOptions
  const made = makeTrialEntryFromBls(entry.text, wish, kernelopts === undefined ? {} : { kernelopts })
  const hidden = wish.remove.find(
    (raw) => made.ok && !readEntry(entry.text).options.includes(raw) && !kernelopts?.includes(raw),
  )
  if (hidden !== undefined)
    return { ok: false, reason: `${hidden} stands in a variable of GRUB, where one entry alone cannot be rid of it` }
  return made.ok ? { ...made, before: templateStep(host, readEntry(entry.text).options) } : made
}

function systemdWay(host: Host, loader: SystemdBoot, wish: TrialWish): TrialWay {
  const { boot } = host
  if (boot === undefined || !hasPath(boot.present, '/sys/firmware/efi'))
    return no('the EFI variables of the boot loader are not there')
  if (!hasPath(boot.present, '/usr/bin/bootctl')) return no('there is no bootctl to choose an entry for one boot')
  const entries = filesIn(host, loader.entries)
  const { selected, oneShot, preferred, default: chosen } = boot.loaderEntries ?? {}
  const started = findStartedEntry(entries, { selected, cmdline: host.kernel.cmdline ?? '' })
  if (started === undefined) return no(`no single entry of ${loader.entries} started the running kernel`)
  const { version } = readEntry(started.text)
  if (version !== undefined && version !== host.kernel.release)
    return no(
      `the entry that was booted is for ${version} now, and ${host.kernel.release ?? 'another kernel'} is running`,
    )
  const image = boot.entryImages?.find(({ entry }) => entry === started.path)
  if (image === undefined) return no(`the initramfs that ${started.path} names is not where it should be`)
  const loaderConf = host.files?.find(({ path }) => path === loader.entries.replace(/entries$/, 'loader.conf'))?.text
  const danger = whyTrialMayBeDefault({
    loaderInfo: boot.loaderInfo,
    variables: [preferred, chosen],
    loaderConf: loaderConf ?? host.files?.find(({ path }) => path.endsWith('/loader/loader.conf'))?.text,
    entries,
  })
  const cramped = whyTooSmall(image.bytes, boot.entriesFreeBytes, {
    where: loader.entries,
    what: 'a second initramfs',
  })
  if (danger !== undefined) return no(danger)
  if (cramped !== undefined) return no(cramped, 'make room there (kernels that are not needed any more)')
  const made = makeTrialEntryFile(started.text, wish)
  if (!made.ok) return made
  const path = `${loader.entries}/${trialEntryName}`
  return {
    ok: true,
    prepare: [],
    make: imageAlone(`${image.path.slice(0, image.path.lastIndexOf('/'))}/${imageName}`),
    entry: [
      ...templateStep(host, readEntry(started.text).options),
      ...fileStep(path, entries.find((entry) => entry.path === path)?.text, made.text, modeOf(started)),
    ],
    choose: chooseOnce(oneShot, trialEntryName),
  }
}

/** vfat shows one mode for all files (mount option umask): a file of another mode would never be as planned. */
function modeOf(file: HostFile | { readonly path: string }): number {
  return ('mode' in file ? file.mode : undefined) ?? 0o644
}

/** An initramfs of its own; the kernel is that of the good entry. */
function imageAlone(path: string): Extract<TrialWay, { ok: true }>['make'] {
  const why = 'an initramfs for the trial alone'
  return (tool, release) => [{ kind: 'command', argv: makeImage(tool, path, release), outputs: [path], why }]
}

function fileStep(path: string, old: string | null | undefined, text: string, mode = 0o644): Step[] {
  if (old === text) return []
  const before = typeof old === 'string' ? { text: old, mode } : null
  return [{ kind: 'file', path, before, after: { text, mode }, why: 'an entry of its own for the trial' }]
}

/** What a trial left where the loader reads: the entry, and its initramfs. */
export function findTrialLeftovers(host: Host): { readonly entries: readonly HostFile[]; readonly image: string } {
  const loader = loaderOf(host)
  if (loader.kind === 'uki') return { entries: [], image: unifiedTrialImage(host) }
  if (loader.kind === 'systemd-boot') {
    const path = `${loader.entries}/${trialEntryName}`
    const image = host.boot?.entryImages?.find(({ entry }) => entry === path)?.path
    const root = loader.entries.slice(0, -'/loader/entries'.length)
    return {
      entries: filesIn(host, path.slice(0, path.lastIndexOf('/'))).filter((file) => file.path === path),
      image: image ?? `${root}/${imageName}`,
    }
  }
  const custom = host.boot?.grubCustom
  const folder = loader.kind === 'grub' ? loader.folder : '/boot/grub'
  return {
    entries: typeof custom === 'string' ? [{ path: `${folder}/custom.cfg`, text: custom, mode: 0o644 }] : [],
    image: `/boot/${imageName}`,
  }
}
