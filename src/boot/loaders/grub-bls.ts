/**
 * GRUB with entries in `/boot/loader/entries` (Fedora, RHEL). grubby edits all places that have kernel
 * arguments; without grubby they are edited here.
 */
import { refreshProxmox } from './proxmox.ts'
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath } from '../boot-paths.ts'
import { hasArg, parseCmdline } from '../cmdline.ts'
import { changeWords, editStep, filesIn, manual, type BootChange, type Edits } from '../edits.ts'
import { remakeNamed } from '../initramfs/images.ts'
import { editKernelCmdline, kernelCmdlinePath, protectNewKernels } from '../kernel-cmdline.ts'
import { addArgTo, removeArgFrom, type Edit } from '../shell-assignment.ts'
import { formatCommand } from '../shell-quote.ts'
import type { TrialWish } from '../trial/trial-args.ts'
import { trialInitramfsName } from '../trial/trial.ts'
import { readEntry } from './bls.ts'
import { editEntries, goodEntriesIn, unreadableEntries, type ReadEntry } from './entry-files.ts'
import {
  findGrub,
  grubLeftovers,
  grubName,
  grubSigns,
  grubTrial,
  type Grub,
  type GrubEntry,
} from './grub-custom.ts'
import { expandVariables } from './grub-environment.ts'
import { makeTrialEntryFromBls, startedImage } from './grub-menu.ts'
import { grubSettings } from './grub.ts'
import type { Loader, LoaderKind } from './loader.ts'

const folder = '/boot/loader/entries'

export const grubBls: LoaderKind = {
  ...grubSigns,
  detect: (signs) => {
    const found = findGrub(signs)
    if (found?.usesEntries !== true) return undefined
    return { loader: loaderOf(found), isCertain: signs.ran === grubName }
  },
  place: ({ isDistribution }, change) =>
    isDistribution('fedora', 'rhel', 'centos')
      ? `the kernel command line with: ${formatCommand(grubby(onlyOne(change)))}`
      : undefined,
}

/** The sentence before this command names either the additions or the removals. */
function onlyOne({ add, remove }: BootChange): BootChange {
  return { add, remove: add.length > 0 ? [] : remove }
}

function loaderOf(found: Grub): Loader {
  return {
    name: grubName,
    edit: ({ host }, change) => edit(host, change),
    trial: ({ host }, change) =>
      grubTrial(host, found, () => makeEntry(host, { ...change, initramfs: trialInitramfsName })),
    remake: ({ host }, tool) => [
      ...remakeNamed(host, tool, folder),
      ...(found.isCopied ? [refreshProxmox] : []),
    ],
    remakesRunning: () => true,
    leftovers: ({ host }) => grubLeftovers(host, found.folder),
  }
}

function edit(host: Host, change: BootChange): Edits {
  const entries = goodEntriesIn(host, folder)
  if (entries.length === 0) return unreadableEntries(folder, change)
  const variables = variablesOf(host)
  const isDone = entries.every(({ entry }) => {
    const options = parseCmdline(expandVariables(entry.options, variables))
    return (
      change.add.every((raw) => hasArg(options, raw)) && !change.remove.some((raw) => hasArg(options, raw))
    )
  })
  if (isDone) return { ok: true, steps: [] }
  if (hasPath(host.boot?.present, '/usr/sbin/grubby')) return { ok: true, steps: [grubbyStep(host, change)] }
  if (entries.some(({ entry }) => entry.options.includes('$')))
    return manual(
      'entries that contain variables, without grubby',
      `install grubby and run: ${formatCommand(grubby(change))} (ARGS)`,
      change,
    )
  return editByHand(host, entries, change)
}

function variablesOf(host: Host): Readonly<Record<string, string>> {
  const kernelopts = host.boot?.kernelOptions
  return kernelopts === undefined ? {} : { kernelopts }
}

/** grubby uses `sed -i`, which leaves a temporary file in the same folder when it is interrupted. */
const grubbyOutputs = [
  `${folder}/*.conf`,
  `${folder}/sed*`,
  grubSettings,
  '/etc/default/sed*',
  kernelCmdlinePath,
  '/etc/kernel/sed*',
  '/boot/grub2/grubenv',
]

function grubby({ add, remove }: BootChange): string[] {
  return [
    'grubby',
    '--update-kernel=ALL',
    ...(remove.length === 0 ? [] : [`--remove-args=${remove.join(' ')}`]),
    ...(add.length === 0 ? [] : [`--args=${add.join(' ')}`]),
  ]
}

function grubbyStep(host: Host, change: BootChange): Step {
  const behindLink = host.boot?.grubEnvironmentPath
  return {
    kind: 'command',
    argv: grubby(change),
    outputs: [...grubbyOutputs, ...(behindLink === undefined ? [] : [behindLink])],
    undo: grubby({ add: change.remove, remove: change.add }),
    why: `kernel arguments: ${changeWords(change).join(', ')}`,
  }
}

/**
 * New kernels get GRUB_CMDLINE_LINUX or /etc/kernel/cmdline, depending on the release, so both are edited.
 */
function editByHand(host: Host, entries: readonly ReadEntry[], change: BootChange): Edits {
  const steps = editEntries(entries, change)
  const main = host.files?.find(({ path }) => path === grubSettings)
  if (main) {
    const edited = editSettings(main.text, change)
    if (!edited.ok)
      return manual(
        'GRUB',
        `${main.path} is not understood (${edited.reason}); there and in ${folder}: ARGS`,
        change,
      )
    steps.push(...editStep(main, edited.text, change))
  }
  return { ok: true, steps: [...steps, ...(editKernelCmdline(host, change) ?? [])] }
}

function editSettings(text: string, { add, remove }: BootChange): Edit {
  let edit: Edit = { ok: true, text }
  for (const raw of remove) if (edit.ok) edit = removeArgFrom(edit.text, 'GRUB_CMDLINE_LINUX', raw)
  for (const raw of add) if (edit.ok) edit = addArgTo(edit.text, 'GRUB_CMDLINE_LINUX', raw)
  return edit
}

/** The entry whose kernel is BOOT_IMAGE= on the command line started this machine. */
function makeEntry(host: Host, wish: TrialWish): GrubEntry {
  const image = startedImage(host.kernel.cmdline ?? '')
  const started = filesIn(host, folder).filter(({ text }) => readEntry(text).linux === image)
  const [entry] = started
  if (image === undefined || entry === undefined || started.length > 1)
    return { ok: false, reason: `no single entry of ${folder} started the running kernel` }
  const { options } = readEntry(entry.text)
  const made = makeTrialEntryFromBls(entry.text, wish, variablesOf(host))
  if (!made.ok) return made
  const kernelopts = host.boot?.kernelOptions
  const hidden = wish.remove.find((raw) => !options.includes(raw) && !kernelopts?.includes(raw))
  if (hidden !== undefined)
    return {
      ok: false,
      reason: `${hidden} is in a variable of GRUB, so it cannot be removed from a single entry`,
    }
  return { ...made, before: protectNewKernels(host, options) }
}
