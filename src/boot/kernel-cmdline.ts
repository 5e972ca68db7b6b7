/**
 * `/etc/kernel/cmdline` has the arguments that kernel-install gives to new kernels, and that some makers put
 * into unified images. Most programs read one line; mkinitcpio joins all lines that do not begin with `#`.
 */
import type { Host } from '../host/host.ts'
import type { Step } from '../steps/step.ts'
import { hasPath } from './boot-paths.ts'
import { addArg, formatCmdline, hasArg, parseCmdline, removeArg } from './cmdline.ts'
import { editStep, type BootChange, type Edits } from './edits.ts'

export const kernelCmdlinePath = '/etc/kernel/cmdline'

/** Adds the argument to the first line that is neither empty nor a comment. The rest keeps its bytes. */
export function addKernelCmdlineArg(text: string, raw: string): string {
  const lines = text.split('\n')
  if (lines.some((line) => !isComment(line) && hasArg(parseCmdline(line), raw))) return text
  const used = lines.findIndex((line) => line.trim() !== '' && !isComment(line))
  const at = used >= 0 ? used : lines.findIndex((line) => !isComment(line))
  if (at < 0) return `${text}\n${raw}\n`
  lines[at] = formatCmdline(addArg(parseCmdline(lines[at] ?? ''), raw))
  return lines.join('\n')
}

export function removeKernelCmdlineArg(text: string, raw: string): string {
  return text
    .split('\n')
    .map((line) => (isComment(line) ? line : formatCmdline(removeArg(parseCmdline(line), raw))))
    .join('\n')
}

const isComment = (line: string): boolean => line.startsWith('#')

/** Also for other files with this format. */
export function changeKernelCmdline(text: string, change: BootChange): string {
  let edited = text
  for (const raw of change.remove) edited = removeKernelCmdlineArg(edited, raw)
  for (const raw of change.add) edited = addKernelCmdlineArg(edited, raw)
  return edited
}

/** Undefined when the file does not exist. */
export function editKernelCmdline(host: Pick<Host, 'files'>, change: BootChange): Step[] | undefined {
  const file = host.files?.find(({ path }) => path === kernelCmdlinePath)
  return file && editStep(file, changeKernelCmdline(file.text, change), change)
}

/** Undefined when the file does not exist. */
export function kernelCmdlineEdits(host: Pick<Host, 'files'>, change: BootChange): Edits | undefined {
  const steps = editKernelCmdline(host, change)
  return steps && { ok: true, steps }
}

/**
 * Without this file, kernel-install gives a kernel that is installed during a trial boot the running command
 * line, which has the token of the trial (90-loaderentry.install, Fedora's 20-grub.install). `options` has
 * the arguments of the good entry.
 */
export function protectNewKernels(host: Host, options: string): Step[] {
  const { present } = host.boot ?? {}
  if (!hasPath(present, '/usr/bin/kernel-install') || hasPath(present, '/usr/lib/kernel/cmdline')) return []
  const isThere = host.files?.some(({ path }) => path === kernelCmdlinePath) === true
  if (isThere || options === '' || options.includes('$')) return []
  return newKernelCmdline(
    `${options}\n`,
    'kernels installed during the trial get the arguments of the good entry',
  )
}

export function newKernelCmdline(text: string, why: string): Step[] {
  return [{ kind: 'file', path: kernelCmdlinePath, before: null, after: { text, mode: 0o644 }, why }]
}
