/**
 * GRUB with entries in grub.cfg. grub-mkconfig takes the arguments from `/etc/default/grub` and its drop-ins.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { addArg, formatCmdline, parseCmdline, removeArg } from '../cmdline.ts'
import { editStep, manual, type BootChange, type Edits } from '../edits.ts'
import { remakeAll } from '../initramfs/images.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import { addArgTo, removeArgFrom, type Edit } from '../shell-assignment.ts'
import type { TrialWish } from '../trial/trial-args.ts'
import { trialInitramfsName } from '../trial/trial.ts'
import {
  findGrub,
  grubLeftovers,
  grubName,
  grubSigns,
  grubTrial,
  type Grub,
  type GrubEntry,
} from './grub-custom.ts'
import { makeTrialEntry } from './grub-menu.ts'
import type { HostSigns, Loader, LoaderKind } from './loader.ts'
import { refreshProxmox } from './proxmox.ts'

export const grubSettings = '/etc/default/grub'
export const grubDropIn = '/etc/default/grub.d/zz-handover.cfg'

export const grub: LoaderKind = {
  ...grubSigns,
  detect: (signs) => {
    const found = findGrub(signs)
    if (found === undefined || found.usesEntries) return undefined
    return { loader: loaderOf(found), isCertain: signs.ran === grubName }
  },
  place: findPlace,
}

function loaderOf(found: Grub): Loader {
  return {
    name: grubName,
    edit: ({ host }, change) => edit(found, host.files ?? [], change),
    trial: ({ host }, change) =>
      grubTrial(host, found, () => makeEntry(host, { ...change, initramfs: trialInitramfsName })),
    remake: ({ host }, tool) => [...remakeAll(host, tool), ...(found.isCopied ? [refreshProxmox] : [])],
    remakesRunning: () => true,
    leftovers: ({ host }) => grubLeftovers(host, found.folder),
  }
}

function makeEntry(host: Host, wish: TrialWish): GrubEntry {
  const entry = host.boot?.grubEntry
  if (entry === undefined) return { ok: false, reason: 'no entry of grub.cfg started the running kernel' }
  const made = makeTrialEntry(entry, wish)
  return made.ok ? { ...made, before: [] } : made
}

/**
 * On Debian, GRUB reads drop-ins, so an addition is written to our own file. Elsewhere, and for removals, the
 * user's file is edited.
 */
function edit(found: Grub, files: readonly HostFile[], change: BootChange): Edits {
  const { hasDropIns, regenerate } = found
  const steps: Step[] = []
  for (const file of files) {
    if (!isSettings(file.path)) continue
    const add = file.path === grubSettings && !hasDropIns ? change.add : []
    const edited = editSettings(file.text, { add, remove: change.remove })
    if (!edited.ok)
      return manual(
        'GRUB',
        `${file.path} is not understood (${edited.reason}); there: ARGS; then run: ${regenerate.join(' ')}`,
        change,
      )
    steps.push(...editStep(file, edited.text, change))
  }
  if (hasDropIns) steps.push(...dropInStep(files, change))
  return { ok: true, steps: steps.length === 0 ? [] : [...steps, regenerateStep(found)] }
}

/** Without our drop-in, which is written as a whole. */
function isSettings(path: string): boolean {
  return path === grubSettings || (path !== grubDropIn && /^\/etc\/default\/grub\.d\/[^/]+\.cfg$/.test(path))
}

function editSettings(text: string, { add, remove }: BootChange): Edit {
  const names = ['GRUB_CMDLINE_LINUX', 'GRUB_CMDLINE_LINUX_DEFAULT']
  let edit: Edit = { ok: true, text }
  for (const name of names) for (const raw of remove) if (edit.ok) edit = removeArgFrom(edit.text, name, raw)
  for (const raw of add) if (edit.ok) edit = addArgTo(edit.text, 'GRUB_CMDLINE_LINUX_DEFAULT', raw)
  return edit
}

function regenerateStep({ folder, regenerate, isCopied }: Grub): Step {
  if (isCopied) return refreshProxmox
  const outputs = [`${folder}/grub.cfg`, `${folder}/grub.cfg.new`, `${folder}/grubenv`]
  return { kind: 'command', argv: regenerate, outputs, why: 'put the new command line into grub.cfg' }
}

/** Keeps the arguments of earlier applies. */
function dropInStep(files: readonly HostFile[], { add, remove }: BootChange): Step[] {
  const old = files.find(({ path }) => path === grubDropIn)
  if (old === undefined && add.length === 0) return []
  const known =
    /^GRUB_CMDLINE_LINUX_DEFAULT="\$GRUB_CMDLINE_LINUX_DEFAULT (.*)"$/m.exec(old?.text ?? '')?.[1] ?? ''
  let args = parseCmdline(known)
  for (const raw of remove) args = removeArg(args, raw)
  for (const raw of add) args = addArg(args, raw)
  const text = [
    '# Written by handover. To undo: handover rollback (or remove this file and run update-grub).',
    `GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${formatCmdline(args)}"`,
    '',
  ].join('\n')
  if (old?.text === text) return []
  return ownFileSteps([{ path: grubDropIn, text, mode: 0o644 }], files, `kernel arguments: ${add.join(' ')}`)
}

/** On openSUSE, update-bootloader edits /etc/default/grub. */
function findPlace(
  { hasFile, isDistribution, isNameless }: HostSigns,
  change: BootChange,
): string | undefined {
  if (isDistribution('opensuse', 'suse')) return `the kernel command line with: ${updateBootloader(change)}`
  if (!hasFile(grubSettings)) return undefined
  const make = 'grub-mkconfig -o /boot/grub/grub.cfg'
  const generate = isDistribution('arch') ? make : isNameless ? `update-grub or ${make}` : 'update-grub'
  return `GRUB_CMDLINE_LINUX_DEFAULT in ${grubSettings}, run ${generate}`
}

function updateBootloader({ add, remove }: BootChange): string {
  const [option, args] = add.length > 0 ? ['--add-option', add] : ['--del-option', remove]
  return ['update-bootloader', ...args.map((raw) => `${option} ${raw}`)].join(' ')
}
