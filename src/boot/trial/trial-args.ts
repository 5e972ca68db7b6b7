/**
 * What every trial entry has in common, whatever loader reads it: its kernel arguments and its own initramfs.
 */
import { addArg, formatCmdline, parseCmdline, removeArg } from '../cmdline.ts'
import { trialToken } from './trial.ts'

export type TrialEntry =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

export type TrialWish = {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** File name; it lies where the initramfs of the good entry lies. */
  readonly initramfs: string
}

/**
 * A boot that fails must end in the old entry, not at a screen that nobody sits at: the kernel reboots after
 * a panic, and so does initramfs-tools instead of its shell (`panic=`, initramfs-tools(7)); dracut needs
 * words of its own (dracut.cmdline(7)).
 */
const comesBack = ['panic=30', 'rd.shell=0', 'rd.emergency=reboot']

export function trialArgs(args: string, { add, remove }: Pick<TrialWish, 'add' | 'remove'>): string {
  let cmdline = parseCmdline(args.trimEnd())
  for (const raw of remove) cmdline = removeArg(cmdline, raw)
  for (const raw of [...add, ...comesBack, trialToken]) cmdline = addArg(cmdline, raw)
  return formatCmdline(cmdline)
}
