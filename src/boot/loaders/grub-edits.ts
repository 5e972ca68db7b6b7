/** Kernel arguments in the files that grub-mkconfig sources: `/etc/default/grub` and its drop-ins. */
import type { Bootloader } from './bootloader.ts'
import { addArg, formatCmdline, parseCmdline, removeArg } from '../cmdline.ts'
import { addArgTo, removeArgFrom, type Edit } from '../shell-assignment.ts'
import type { HostFile } from '../../host/host.ts'
import { editStep, refreshProxmox, type BootChange } from './boot-steps.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import type { Step } from '../../steps/step.ts'

export const grubDropIn = '/etc/default/grub.d/zz-handover.cfg'

type Grub = Extract<Bootloader, { kind: 'grub' }>
/** `how`: what to do by hand, where the file is not understood; `ARGS` stands for the arguments. */
type GrubEdits = { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly how: string }

/** Debian's GRUB reads drop-ins: an addition is a file of our own. Elsewhere, and for removals, the user's file is edited. */
export function editGrub(loader: Grub, files: readonly HostFile[], change: BootChange): GrubEdits {
  const names = ['GRUB_CMDLINE_LINUX', 'GRUB_CMDLINE_LINUX_DEFAULT']
  const main = '/etc/default/grub'
  const steps: Step[] = []
  for (const file of files) {
    if (file.path !== main && !/^\/etc\/default\/grub\.d\/[^/]+\.cfg$/.test(file.path)) continue
    if (file.path === grubDropIn) continue
    let edit: Edit = { ok: true, text: file.text }
    for (const name of names) for (const raw of change.remove) if (edit.ok) edit = removeArgFrom(edit.text, name, raw)
    if (file.path === main && !loader.hasDropIns)
      for (const raw of change.add) if (edit.ok) edit = addArgTo(edit.text, 'GRUB_CMDLINE_LINUX_DEFAULT', raw)
    if (!edit.ok)
      return {
        ok: false,
        how: `${file.path} is not understood (${edit.reason}); there: ARGS; then run: ${loader.regenerate.join(' ')}`,
      }
    steps.push(...editStep(file, edit.text, change))
  }
  if (loader.hasDropIns) steps.push(...dropInStep(files, change))
  if (steps.length === 0) return { ok: true, steps }
  if (loader.isCopied) return { ok: true, steps: [...steps, refreshProxmox] }
  const outputs = [`${loader.folder}/grub.cfg`, `${loader.folder}/grub.cfg.new`, `${loader.folder}/grubenv`]
  return {
    ok: true,
    steps: [
      ...steps,
      { kind: 'command', argv: loader.regenerate, outputs, why: 'make the new command line known to GRUB' },
    ],
  }
}

/** What an earlier apply put there stays: the next argument must not cost the host the last one. */
function dropInStep(files: readonly HostFile[], { add, remove }: BootChange): Step[] {
  const old = files.find(({ path }) => path === grubDropIn)
  if (old === undefined && add.length === 0) return []
  const known = /^GRUB_CMDLINE_LINUX_DEFAULT="\$GRUB_CMDLINE_LINUX_DEFAULT (.*)"$/m.exec(old?.text ?? '')?.[1] ?? ''
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
