/** The kernel arguments of a trial entry, for every loader. */
import { addArg, formatCmdline, parseCmdline, removeArg } from '../cmdline.ts'
import { trialToken } from './trial.ts'

export type TrialEntry =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

export type TrialWish = {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** A file name in the folder of the good entry's initramfs. */
  readonly initramfs: string
}

/**
 * A failed boot must end in a reboot to the old entry, not in a shell or a panic screen. With `panic=` the
 * kernel reboots after a panic, and initramfs-tools reboots instead of starting its shell
 * (initramfs-tools(7)). The other arguments are for dracut (dracut.cmdline(7)).
 */
const comesBack = ['panic=30', 'rd.shell=0', 'rd.emergency=reboot']

export function trialArgs(args: string, { add, remove }: Pick<TrialWish, 'add' | 'remove'>): string {
  let cmdline = parseCmdline(args.trimEnd())
  for (const raw of remove) cmdline = removeArg(cmdline, raw)
  for (const raw of [...add, ...comesBack, trialToken]) cmdline = addArg(cmdline, raw)
  return formatCmdline(cmdline)
}
