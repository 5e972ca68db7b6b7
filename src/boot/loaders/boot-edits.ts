/**
 * A change of the kernel command line for good, in the way this machine boots. Files of others are edited in place; where
 * the way is not understood nothing is written, and the exact change is said instead.
 */
import { addEntryArg, blsFolder, kernelCmdlinePath, readEntry, removeEntryArg, type Entry } from './bls.ts'
import type { Bootloader } from './bootloader.ts'
import { hasArg, parseCmdline } from '../cmdline.ts'
import { expandVariables } from './grub-environment.ts'
import { addArgTo, removeArgFrom, type Edit } from '../shell-assignment.ts'
import { formatCommand } from '../shell-quote.ts'
import { goodEntries } from '../trial/trial-entries.ts'
import type { Host, HostFile } from '../../host/host.ts'
import {
  changeTemplate,
  changeWords,
  editStep,
  filesIn,
  manual,
  refreshProxmox,
  type BootChange,
  type Edits,
} from './boot-steps.ts'
import { editGrub } from './grub-edits.ts'
import { loaderOf } from './loader-of.ts'
import type { Step } from '../../steps/step.ts'
import { editUki } from './uki-edits.ts'
import { hasPath } from '../boot-paths.ts'

export function editsFor(host: Host, change: BootChange): Edits {
  return faithful(editsOf(loaderOf(host), host, change), change)
}

/** A byte that is no UTF-8 was read as U+FFFD, and writing the text back would put that in its place. */
function faithful(edits: Edits, change: BootChange): Edits {
  if (!edits.ok) return edits
  const mangled = edits.steps.find((step) => step.kind === 'file' && step.before?.text.includes('\ufffd'))
  if (mangled?.kind !== 'file') return edits
  return manual(`${mangled.path}, which holds bytes that are no UTF-8`, `there: ARGS; or save it as UTF-8`, change)
}

function editsOf(loader: Bootloader, host: Host, change: BootChange): Edits {
  switch (loader.kind) {
    case 'grub': {
      if (loader.usesEntries) return editBls(host, change)
      const edits = editGrub(loader, host.files ?? [], change)
      return edits.ok ? edits : manual('GRUB', edits.how, change)
    }
    case 'systemd-boot':
      return editEntries(host, loader.entries, change)
    case 'proxmox':
      return editProxmox(host, change)
    case 'uki':
      return editUki(host, change)
    case 'manual':
      return manual(loader.system, loader.how, change, { words: loader.words })
    case 'ambiguous':
      return manual(
        `either ${loader.candidates.join(' or ')}`,
        'see which one starts this machine, and there change the kernel command line: ARGS',
        change,
        { code: 'boot-ambiguous' },
      )
    case 'unknown':
      return manual('a way that is not known here', 'change the kernel command line: ARGS', change)
  }
}

/** Linux entries of a folder, with what they say. */
function goodEntriesIn(host: Host, folder: string): readonly (HostFile & { readonly entry: Entry })[] {
  return goodEntries(filesIn(host, folder)).map((file) => ({ ...file, entry: readEntry(file.text) }))
}

const unreadable = (folder: string, change: BootChange): Edits =>
  manual('boot entries that cannot be read', `in ${folder}/*.conf, on the options line: ARGS`, change)

/** systemd-boot: every Linux entry, and the file that new entries are made from. */
function editEntries(host: Host, folder: string, change: BootChange): Edits {
  const entries = goodEntriesIn(host, folder)
  if (entries.length === 0) return unreadable(folder, change)
  const steps = entries.flatMap((file) => editStep(file, changeEntry(file.text, change), change))
  return { ok: true, steps: [...steps, ...templateSteps(host, entries, change)] }
}

function changeEntry(text: string, change: BootChange): string {
  let edited = text
  for (const raw of change.remove) edited = removeEntryArg(edited, raw)
  for (const raw of change.add) edited = addEntryArg(edited, raw)
  return edited
}

/**
 * Without /etc/kernel/cmdline, kernel-install gives a new kernel the running command line (90-loaderentry.install), which on
 * a trial boot carries the trial's token: then the file is made from the entry of the running kernel.
 */
function templateSteps(host: Host, entries: readonly { readonly entry: Entry }[], change: BootChange): Step[] {
  const old = host.files?.find(({ path }) => path === kernelCmdlinePath)
  if (old) return editStep(old, changeTemplate(old.text, change), change)
  if (!hasPath(host.boot?.present, '/usr/bin/kernel-install')) return []
  const running = entries.find(({ entry }) => entry.version !== undefined && entry.version === host.kernel.release)
  if (running === undefined) return []
  const text = changeTemplate(`${running.entry.options}\n`, change)
  return [
    {
      kind: 'file',
      path: kernelCmdlinePath,
      before: null,
      after: { text, mode: 0o644 },
      why: 'new kernels get these arguments, and not those of the running trial',
    },
  ]
}

/** grubby edits by `sed -i`, whose temporary file lies in the same folder: cut off half-way, it would stay. */
const grubbyOutputs = [
  `${blsFolder}/*.conf`,
  `${blsFolder}/sed*`,
  '/etc/default/grub',
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

/** GRUB with entries (Fedora, RHEL): grubby knows all the places; without it they are edited here. */
function editBls(host: Host, change: BootChange): Edits {
  const entries = goodEntriesIn(host, blsFolder)
  if (entries.length === 0) return unreadable(blsFolder, change)
  const kernelopts = host.boot?.kernelOptions
  const variables = kernelopts === undefined ? {} : { kernelopts }
  const isDone = entries.every(({ entry }) => {
    const options = parseCmdline(expandVariables(entry.options, variables))
    return change.add.every((raw) => hasArg(options, raw)) && !change.remove.some((raw) => hasArg(options, raw))
  })
  if (isDone) return { ok: true, steps: [] }
  if (hasPath(host.boot?.present, '/usr/sbin/grubby')) return { ok: true, steps: [grubbyStep(host, change)] }
  if (entries.some(({ entry }) => entry.options.includes('$')))
    return manual(
      'entries with variables, and without grubby',
      `install grubby and run: ${formatCommand(grubby(change))} (ARGS)`,
      change,
    )
  return editBlsByHand(host, entries, change)
}

/** New kernels get GRUB_CMDLINE_LINUX or /etc/kernel/cmdline, depending on the release: both are kept the same. */
function editBlsByHand(
  host: Host,
  entries: readonly (HostFile & { readonly entry: Entry })[],
  change: BootChange,
): Edits {
  const steps = entries.flatMap((file) => editStep(file, changeEntry(file.text, change), change))
  const main = host.files?.find(({ path }) => path === '/etc/default/grub')
  if (main) {
    let edit: Edit = { ok: true, text: main.text }
    for (const raw of change.remove) if (edit.ok) edit = removeArgFrom(edit.text, 'GRUB_CMDLINE_LINUX', raw)
    for (const raw of change.add) if (edit.ok) edit = addArgTo(edit.text, 'GRUB_CMDLINE_LINUX', raw)
    if (!edit.ok)
      return manual('GRUB', `${main.path} is not understood (${edit.reason}); there and in ${blsFolder}: ARGS`, change)
    steps.push(...editStep(main, edit.text, change))
  }
  return { ok: true, steps: [...steps, ...templateSteps(host, [], change)] }
}

/** One line, copied to every boot partition by the tool. */
function editProxmox(host: Host, change: BootChange): Edits {
  const line = host.files?.find(({ path }) => path === kernelCmdlinePath)
  if (line === undefined)
    return manual(
      'proxmox-boot-tool',
      `write the one line of ${kernelCmdlinePath} (ARGS), then run: proxmox-boot-tool refresh`,
      change,
    )
  const steps = editStep(line, changeTemplate(line.text, change), change)
  return { ok: true, steps: steps.length === 0 ? [] : [...steps, refreshProxmox] }
}
