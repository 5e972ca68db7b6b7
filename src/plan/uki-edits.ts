/**
 * Unified kernel images (kernel, initramfs and arguments in one file): the arguments come from /etc/kernel/cmdline or
 * /etc/cmdline.d when the image is made. mkinitcpio says in its presets which files it writes, so there it is done; the other
 * tools run hooks of anybody's, so what to do is said instead.
 */
import { kernelCmdlinePath } from '../boot/bls.ts'
import type { Host, HostFile } from '../host/host.ts'
import { changeTemplate, editStep, manual, type BootChange, type Edits } from './boot-steps.ts'
import { ownFileSteps } from './own-file-steps.ts'
import type { Step } from './step.ts'

const ownCmdline = '/etc/cmdline.d/handover.conf'

export function editUki(host: Host, change: BootChange): Edits {
  const files = host.files ?? []
  if (presetOutputs(files).some((path) => path.endsWith('.efi'))) return editForMkinitcpio(files, change)
  const says = (path: RegExp, text: RegExp) => files.some((file) => path.test(file.path) && text.test(file.text))
  if (says(/^\/etc\/kernel\/install\.conf$/, /^\s*layout=uki\b/m))
    return manual(
      'unified kernel images that kernel-install makes',
      `in ${kernelCmdlinePath}: ARGS; then run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz`,
      change,
    )
  if (says(/^\/etc\/dracut\.conf\.d\//, /^\s*uefi="?yes/m))
    return manual(
      'unified kernel images that dracut makes',
      'in kernel_cmdline= of /etc/dracut.conf.d: ARGS; then run: dracut --force --regenerate-all',
      change,
    )
  return manual('a unified kernel image', `edit ${kernelCmdlinePath} (ARGS) and build the image again`, change)
}

/** Without either file mkinitcpio takes the running command line: a file with our argument alone would lose the rest. */
function editForMkinitcpio(files: readonly HostFile[], change: BootChange): Edits {
  const line = files.find(({ path }) => path === kernelCmdlinePath)
  const parts = files.filter(({ path }) => path.startsWith('/etc/cmdline.d/'))
  const steps: Step[] = []
  if (line) steps.push(...editStep(line, changeTemplate(line.text, change), change))
  else if (parts.some(({ path }) => path !== ownCmdline)) {
    const removed = { add: [], remove: change.remove }
    for (const part of parts)
      if (part.path !== ownCmdline) steps.push(...editStep(part, changeTemplate(part.text, removed), change))
    steps.push(...ownPart(parts, change))
  } else
    return manual(
      'unified kernel images whose arguments stand in no file',
      `write the whole command line (as in /proc/cmdline) into ${kernelCmdlinePath}: ARGS; then run: mkinitcpio -P`,
      change,
    )
  if (steps.length === 0) return { ok: true, steps }
  const why = 'put the new command line into every image'
  return {
    ok: true,
    steps: [...steps, { kind: 'command', argv: ['mkinitcpio', '-P'], outputs: mkinitcpioOutputs(files), why }],
  }
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

/** What `mkinitcpio -P` writes: `default_image="…"`, `fallback_uki='…'` (mkinitcpio(8), presets). */
export function mkinitcpioOutputs(files: readonly HostFile[]): string[] {
  return [...new Set(['/boot/initramfs-*.img', ...presetOutputs(files)])]
}

function presetOutputs(files: readonly HostFile[]): string[] {
  return files
    .filter(({ path }) => /^\/etc\/mkinitcpio\.d\/[^/]+\.preset$/.test(path))
    .flatMap(({ text }) => [...text.matchAll(/^[ \t]*\w+_(?:image|uki|efi_image)=["']?(\/[\w./+-]+)/gm)])
    .map(([, path]) => path ?? '')
    .filter((path) => !path.includes('..'))
}
