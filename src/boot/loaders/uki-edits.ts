/**
 * A change of the arguments inside unified kernel images: the maker's own configuration is edited, and the images are made
 * again. Where no maker is known, or what it would make might not start, what to do is said instead.
 */
import { kernelCmdlinePath } from './bls.ts'
import { addArgTo, parseShell, removeArgFrom, type Edit } from '../shell-assignment.ts'
import type { UkiMaker } from '../makers/unified.ts'
import type { Host, HostFile } from '../../host/host.ts'
import { changeTemplate, editStep, manual, type BootChange, type Edits } from './boot-steps.ts'
import { makesKnownImages, remakeUnified } from '../initramfs/initramfs-steps.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import type { Step } from '../../steps/step.ts'
import { dracutFiles, findUkiMaker, installsUnified, lacksSignature } from '../makers/uki-maker.ts'

const ownCmdline = '/etc/cmdline.d/handover.conf'

export function editUki(host: Host, change: BootChange): Edits {
  const maker = findUkiMaker(host)
  if (maker === undefined || !makesKnownImages(host, maker)) return sayWhatToDo(host, change)
  if (maker.kind !== 'mkinitcpio' && lacksSignature(host, maker))
    return manual(
      'unified kernel images under Secure Boot, and nothing says which key signs them',
      'change the kernel command line where your signing tool takes it from: ARGS; then make and sign every image again',
      change,
    )
  const edits = editSource(maker, host.files ?? [], change)
  if (!edits.ok || edits.steps.length === 0) return edits
  return { ok: true, steps: [...edits.steps, ...remakeUnified(host, maker)] }
}

function editSource(maker: UkiMaker, files: readonly HostFile[], change: BootChange): Edits {
  switch (maker.kind) {
    case 'mkinitcpio':
      return editForMkinitcpio(files, change)
    case 'dracut':
      return editForDracut(files, change)
    case 'ukify':
      return editForUkify(files, change)
  }
}

function sayWhatToDo(host: Host, change: BootChange): Edits {
  const { path, run } = byHand(host)
  // An EFI system partition is often closed to everybody but root.
  const sight = host.boot?.unified === undefined ? ', none of which is in sight (root may see more)' : ''
  return manual(
    `unified kernel images that cannot be made again from here${sight}`,
    `${path}: ARGS; then ${run}`,
    change,
  )
}

function byHand(host: Host): { readonly path: string; readonly run: string } {
  if (installsUnified(host.files ?? []))
    return {
      path: `in ${kernelCmdlinePath}`,
      run: 'run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz',
    }
  if (findUkiMaker(host)?.kind === 'dracut')
    return { path: 'in kernel_cmdline= of /etc/dracut.conf.d', run: 'run: dracut --force --regenerate-all' }
  return { path: `in ${kernelCmdlinePath}`, run: 'make the image again' }
}

/** Without either file mkinitcpio takes the running command line: a file with our argument alone would lose the rest. */
function editForMkinitcpio(files: readonly HostFile[], change: BootChange): Edits {
  const line = files.find(({ path }) => path === kernelCmdlinePath)
  if (line) return { ok: true, steps: editStep(line, changeTemplate(line.text, change), change) }
  const parts = files.filter(({ path }) => path.startsWith('/etc/cmdline.d/'))
  if (!parts.some(({ path }) => path !== ownCmdline))
    return manual(
      'unified kernel images whose arguments stand in no file',
      `write the whole command line (as in /proc/cmdline) into ${kernelCmdlinePath}: ARGS; then run: mkinitcpio -P`,
      change,
    )
  const removed = { add: [], remove: change.remove }
  const others = parts.filter(({ path }) => path !== ownCmdline)
  const edits = others.flatMap((part) => editStep(part, changeTemplate(part.text, removed), change))
  return { ok: true, steps: [...edits, ...ownPart(parts, change)] }
}

function ownPart(parts: readonly HostFile[], change: BootChange): Step[] {
  const old = parts.find(({ path }) => path === ownCmdline)
  const known = old?.text.split('\n').findLast((line) => line !== '' && !line.startsWith('#')) ?? ''
  const line = changeTemplate(known, change)
  if (line === '' && old === undefined) return []
  const text = `# Written by handover. To undo: handover rollback (or remove this file and run mkinitcpio -P).\n${line}\n`
  if (old?.text === text) return []
  return ownFileSteps([{ path: ownCmdline, text, mode: 0o644 }], parts, 'kernel arguments of our own')
}

/** kernel-install gives an image the running command line where this file is not there: on a trial boot, the trial's. */
function editForUkify(files: readonly HostFile[], change: BootChange): Edits {
  const line = files.find(({ path }) => path === kernelCmdlinePath)
  if (line === undefined)
    return manual(
      'unified kernel images whose arguments stand in no file',
      `write the whole command line (as in /proc/cmdline) into ${kernelCmdlinePath}: ARGS; then run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz`,
      change,
    )
  return { ok: true, steps: editStep(line, changeTemplate(line.text, change), change) }
}

const dracutName = 'kernel_cmdline'

/** dracut sources its files with bash, one after another: what is added goes where the last word is said. */
function editForDracut(files: readonly HostFile[], change: BootChange): Edits {
  const sources = dracutFiles(files)
  const last = sources.findLast(({ text }) => parseShell(text).assignments.some(({ name }) => name === dracutName))
  if (last === undefined)
    return manual(
      'unified kernel images whose arguments stand in no file',
      `write the whole command line (as in /proc/cmdline) as ${dracutName}="…" into a file of /etc/dracut.conf.d: ARGS; then run: dracut --force --regenerate-all`,
      change,
    )
  const steps: Step[] = []
  for (const file of sources) {
    let edit: Edit = { ok: true, text: file.text }
    for (const raw of change.remove) if (edit.ok) edit = removeArgFrom(edit.text, dracutName, raw)
    for (const raw of file === last ? change.add : []) if (edit.ok) edit = addArgTo(edit.text, dracutName, raw, 'bash')
    if (!edit.ok)
      return manual(
        'unified kernel images that dracut makes',
        `${file.path} is not understood (${edit.reason}); there, in ${dracutName}=: ARGS; then run: dracut --force --regenerate-all`,
        change,
      )
    steps.push(...editStep(file, edit.text, change))
  }
  return { ok: true, steps }
}
