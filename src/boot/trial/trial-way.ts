/** A way of starting something once, whatever loader does it: what all of them have in common. */
import { defined } from '../../base/defined.ts'
import { entryId } from '../loaders/bls.ts'
import type { InitramfsTool } from '../initramfs/early-binding.ts'
import { oneShotVariable } from './trial-entries.ts'
import type { Step } from '../../steps/step.ts'

export type TrialWay =
  | {
      readonly ok: true
      /** Files that what is booted is made from. */
      readonly prepare: readonly Step[]
      /** Makes what is booted on trial, and on trial alone. */
      readonly make: (tool: InitramfsTool, release: string) => readonly Step[]
      readonly entry: readonly Step[]
      readonly choose: Step
    }
  /** `first`: what would make one possible, or the nearest thing to it by hand. */
  | { readonly ok: false; readonly reason: string; readonly first?: string }

export function no(reason: string, first?: string): Extract<TrialWay, { ok: false }> {
  return { ok: false, reason, ...defined({ first }) }
}

/** The choice is an EFI variable: it is taken back by choosing what was chosen before, or nothing. */
export function chooseOnce(before: string | undefined, name: string): Step {
  const isOurs = before !== undefined && entryId(before) === entryId(name)
  return {
    kind: 'command',
    argv: ['bootctl', 'set-oneshot', name],
    outputs: [oneShotVariable],
    once: true,
    purpose: 'trial',
    undo: ['bootctl', 'set-oneshot', isOurs ? '' : (before ?? '')],
    why: 'choose the trial for the next boot only',
  }
}

const mebibyte = 1024 * 1024

/** The trial's own is about as large as the good one; while it is written both are there, and some reserve is left. */
export function whyTooSmall(
  bytes: number,
  free: number | undefined,
  { where, what }: { readonly where: string; readonly what: string },
): string | undefined {
  if (free === undefined || bytes === 0) return undefined
  const wanted = Math.ceil(bytes * 1.25) + 8 * mebibyte
  if (free >= wanted) return undefined
  const say = (value: number) => `${Math.floor(value / mebibyte)} MiB`
  return `the partition of ${where} has ${say(free)} left, and ${what} needs ${say(wanted)}`
}
