/**
 * systemd-boot: an entry is a file in `loader/entries`. The trial has a separate entry, which the EFI
 * variable LoaderEntryOneShot selects for one boot.
 */
import type { BootFacts, EntryImage } from '../../host/boot-facts.ts'
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath } from '../boot-paths.ts'
import { findArg, hasArg, parseCmdline } from '../cmdline.ts'
import { filesIn, type BootChange, type Edits } from '../edits.ts'
import { remakeNamed } from '../initramfs/images.ts'
import {
  changeKernelCmdline,
  editKernelCmdline,
  kernelCmdlinePath,
  newKernelCmdline,
  protectNewKernels,
} from '../kernel-cmdline.ts'
import { ownHeader } from '../own-file.ts'
import { trialArgs, type TrialEntry, type TrialWish } from '../trial/trial-args.ts'
import { imageAlone, no, noRoom, trialFileStep, type TrialWay } from '../trial/trial-way.ts'
import { trialEntryName, trialInitramfsName } from '../trial/trial.ts'
import { entryId, readEntry } from './bls.ts'
import { whyTrialMayBeDefault, type DefaultChoice } from './default-entry.ts'
import {
  editEntries,
  goodEntries,
  goodEntriesIn,
  unreadableEntries,
  type EntryFile,
  type ReadEntry,
} from './entry-files.ts'
import { chooseOnce } from './loader-interface.ts'
import type { Loader, LoaderKind, Signs, TrialLeftovers } from './loader.ts'

const name = 'systemd-boot'

export const systemdBoot: LoaderKind = {
  name,
  loaderInfo: /^systemd-boot\b/i,
  trace: /(?:^|\s)initrd=\\/,
  detect: (signs) => {
    const folder = findEntryFolder(signs)
    return folder === undefined ? undefined : { loader: loaderWith(folder), isCertain: signs.ran === name }
  },
  place: ({ hasFile }) =>
    hasFile(kernelCmdlinePath)
      ? `${kernelCmdlinePath}, install the kernel entry again (kernel-install or mkinitcpio -P)`
      : undefined,
}

/** The folder is beside a loader.conf. The loader itself may be on another partition than its entries. */
export function findEntryFolder({ has, entries }: Pick<Signs, 'has' | 'entries'>): string | undefined {
  const folders = ['/efi/loader', '/boot/efi/loader', '/boot/loader'] as const
  const configured = folders.filter((folder) => has(`${folder}/loader.conf`))
  if (configured.length === 0) return undefined
  const own = folders.find((folder) => entries === `${folder}/entries`)
  const folder = own ?? configured.find((one) => has(`${one}/entries`))
  return folder === undefined ? undefined : `${folder}/entries`
}

function loaderWith(folder: string): Loader {
  return {
    name,
    edit: ({ host }, change) => edit(host, folder, change),
    trial: ({ host }, change) => trial(host, folder, { ...change, initramfs: trialInitramfsName }),
    remake: ({ host }, tool) => remakeNamed(host, tool, folder),
    remakesRunning: () => true,
    leftovers: ({ host }) => leftovers(host, folder),
  }
}

/** Edits every Linux entry, and the file from which new entries get their arguments. */
function edit(host: Host, folder: string, change: BootChange): Edits {
  const entries = goodEntriesIn(host, folder)
  if (entries.length === 0) return unreadableEntries(folder, change)
  return { ok: true, steps: [...editEntries(entries, change), ...templateSteps(host, entries, change)] }
}

/**
 * Without /etc/kernel/cmdline, kernel-install gives a new kernel the running command line
 * (90-loaderentry.install), which has the trial's token on a trial boot. So the file is made from the entry
 * of the running kernel.
 */
function templateSteps(host: Host, entries: readonly ReadEntry[], change: BootChange): Step[] {
  const steps = editKernelCmdline(host, change)
  if (steps !== undefined) return steps
  if (!hasPath(host.boot?.present, '/usr/bin/kernel-install')) return []
  const running = entries.find(
    ({ entry }) => entry.version !== undefined && entry.version === host.kernel.release,
  )
  if (running === undefined) return []
  return newKernelCmdline(
    changeKernelCmdline(`${running.entry.options}\n`, change),
    'give new kernels these arguments instead of those of the running trial',
  )
}

function trial(host: Host, folder: string, wish: TrialWish): TrialWay {
  const { boot } = host
  if (boot === undefined || !hasPath(boot.present, '/sys/firmware/efi'))
    return no('the EFI variables of the boot loader do not exist')
  if (!hasPath(boot.present, '/usr/bin/bootctl'))
    return no('there is no bootctl to choose an entry for one boot')
  const found = findTemplate(host, boot, folder)
  if (!found.ok) return found
  const { started, image } = found
  const made = makeTrialEntryFile(started.text, wish)
  if (!made.ok) return made
  const path = `${folder}/${trialEntryName}`
  const old = filesIn(host, folder).find((entry) => entry.path === path)?.text
  return {
    ok: true,
    prepare: [],
    make: imageAlone(`${image.path.slice(0, image.path.lastIndexOf('/'))}/${trialInitramfsName}`),
    entry: [
      ...protectNewKernels(host, readEntry(started.text).options),
      // vfat shows the same mode for all files (mount option umask), so the new file must have that mode.
      ...trialFileStep(path, old, made.text, started.mode),
    ],
    choose: chooseOnce(boot.loaderEntries?.oneShot, trialEntryName),
  }
}

type Template = { readonly ok: true; readonly started: HostFile; readonly image: EntryImage }

/** The entry from which the trial is made, when a second entry beside it does no harm. */
function findTemplate(
  host: Host,
  boot: BootFacts,
  folder: string,
): Template | Extract<TrialWay, { ok: false }> {
  const entries = filesIn(host, folder)
  const { selected } = boot.loaderEntries ?? {}
  const started = findStartedEntry(entries, { selected, cmdline: host.kernel.cmdline ?? '' })
  if (started === undefined) return no(`no single entry of ${folder} started the running kernel`)
  const { version } = readEntry(started.text)
  const { release = 'another kernel' } = host.kernel
  if (version !== undefined && version !== host.kernel.release)
    return no(`the entry that was booted is for ${version} now, but ${release} is running`)
  const image = boot.entryImages?.find(({ entry }) => entry === started.path)
  if (image === undefined) return no(`the initramfs that ${started.path} names was not found`)
  const danger = whyTrialMayBeDefault(defaultsOf(host, boot, folder))
  if (danger !== undefined) return no(danger)
  const cramped = noRoom(image.bytes, boot.entriesFreeBytes, { where: folder, what: 'a second initramfs' })
  return cramped ?? { ok: true, started, image }
}

function defaultsOf({ files = [] }: Host, boot: BootFacts, folder: string): DefaultChoice {
  const beside = files.find(({ path }) => path === folder.replace(/entries$/, 'loader.conf'))
  const conf = beside ?? files.find(({ path }) => path.endsWith('/loader/loader.conf'))
  return {
    loaderInfo: boot.loaderInfo,
    variables: [boot.loaderEntries?.preferred, boot.loaderEntries?.default],
    loaderConf: conf?.text,
    entries: files.filter(({ path }) => path.startsWith(`${folder}/`)),
  }
}

function leftovers(host: Host, folder: string): TrialLeftovers {
  const path = `${folder}/${trialEntryName}`
  const image = host.boot?.entryImages?.find(({ entry }) => entry === path)?.path
  const root = folder.slice(0, -'/loader/entries'.length)
  return {
    entries: filesIn(host, folder).filter((file) => file.path === path),
    image: image ?? `${root}/${trialInitramfsName}`,
  }
}

/**
 * The good entry with the arguments under trial and the trial's initramfs. It has no sort-key, so that it
 * comes after the entries that have one.
 */
export function makeTrialEntryFile(goodText: string, wish: TrialWish): TrialEntry {
  const good = readEntry(goodText)
  const last = good.initrds.at(-1)
  if (good.linux === undefined) return { ok: false, reason: 'the entry names no kernel' }
  if (last === undefined) return { ok: false, reason: 'the entry has no initramfs' }
  if (!last.startsWith('/')) return { ok: false, reason: `the entry's initramfs is not a path: ${last}` }
  const dropped = /^[ \t]*(?:title|sort-key|version|options|initrd|#.*)(?:[ \t]|$)/
  const kept = goodText.split(/\r?\n/).filter((line) => line.trim() !== '' && !dropped.test(line))
  const image = `${last.slice(0, last.lastIndexOf('/') + 1)}${wish.initramfs}`
  return {
    ok: true,
    text: [
      ownHeader,
      'title Handover: trial boot',
      ...kept,
      ...[...good.initrds.slice(0, -1), image].map((path) => `initrd ${path}`),
      `options ${trialArgs(good.options, wish)}`,
      '',
    ].join('\n'),
  }
}

/**
 * The entry that started this kernel: the one that LoaderEntrySelected names (compared without the counter of
 * boot counting, which changes with every boot), or else the only entry whose initramfs and arguments are all
 * on the kernel's command line.
 */
export function findStartedEntry<T extends EntryFile>(
  entries: readonly T[],
  running: { readonly selected?: string | undefined; readonly cmdline: string },
): T | undefined {
  const real = goodEntries(entries)
  const { selected } = running
  if (selected !== undefined) {
    const of = real.filter(({ path }) => entryId(path) === entryId(selected))
    return of.length === 1 ? of[0] : undefined
  }
  const cmdline = parseCmdline(running.cmdline)
  const fitting = real.filter(({ text }) => {
    const { options, initrds } = readEntry(text)
    const image = findArg(cmdline, 'initrd')?.slice('initrd='.length).replaceAll('\\', '/')
    const hasImage = image === undefined || initrds.includes(image)
    return hasImage && parseCmdline(options).args.every(({ raw }) => hasArg(cmdline, raw))
  })
  return fitting.length === 1 ? fitting[0] : undefined
}
