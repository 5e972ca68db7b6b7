/** What every trial entry has in common, whatever loader reads it: its kernel arguments and its own initramfs. */
import { addArg, formatCmdline, parseCmdline, removeArg } from './cmdline.ts'
import { trialToken } from './trial.ts'

export type TrialEntry = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

export type TrialWish = {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** File name; it lies where the initramfs of the good entry lies. */
  readonly initramfs: string
}

/** A panic must end in the old entry, not in a black screen: hence panic=30. */
export function trialArgs(args: string, { add, remove }: Pick<TrialWish, 'add' | 'remove'>): string {
  let cmdline = parseCmdline(args.trimEnd())
  for (const raw of remove) cmdline = removeArg(cmdline, raw)
  for (const raw of [...add, 'panic=30', trialToken]) cmdline = addArg(cmdline, raw)
  return formatCmdline(cmdline)
}
