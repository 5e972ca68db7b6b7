/** A way of starting something once, whatever loader does it: what all of them have in common. */
import { defined } from '../../base/defined.ts'
import type { Step } from '../../steps/step.ts'
import type { InitramfsTool } from '../initramfs/tool.ts'

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

export const tryByHand = 'try it for one boot by hand: in the boot menu press e and write the change there'

/** An initramfs of its own; the kernel is that of the good entry. */
export function imageAlone(path: string): Extract<TrialWay, { ok: true }>['make'] {
  const why = 'an initramfs for the trial alone'
  return (tool, release) => [{ kind: 'command', argv: tool.make(path, release), outputs: [path], why }]
}

export function trialFileStep(
  path: string,
  old: string | null | undefined,
  text: string,
  mode = 0o644,
): Step[] {
  if (old === text) return []
  const before = typeof old === 'string' ? { text: old, mode } : null
  return [{ kind: 'file', path, before, after: { text, mode }, why: 'an entry of its own for the trial' }]
}

const mebibyte = 1024 * 1024

/**
 * Why there is no room, or undefined. The trial's image is about as large as the good one; while it is
 * written both are there, and some reserve is left.
 */
export function noRoom(
  bytes: number,
  free: number | undefined,
  { where, what }: { readonly where: string; readonly what: string },
): Extract<TrialWay, { ok: false }> | undefined {
  if (free === undefined || bytes === 0) return undefined
  const wanted = Math.ceil(bytes * 1.25) + 8 * mebibyte
  if (free >= wanted) return undefined
  const say = (value: number) => `${Math.floor(value / mebibyte)} MiB`
  return no(
    `the partition of ${where} has ${say(free)} left, and ${what} needs ${say(wanted)}`,
    'make room there (kernels that are not needed any more)',
  )
}
