/** How a loader starts an entry once: the type and the parts that several loaders use. */
import { defined } from '../../base/defined.ts'
import type { Step } from '../../steps/step.ts'
import type { InitramfsTool } from '../initramfs/tool.ts'

export type TrialWay =
  | {
      readonly ok: true
      /** Writes the files that `make` reads. */
      readonly prepare: readonly Step[]
      /** Makes the image that only the trial boots. */
      readonly make: (tool: InitramfsTool, release: string) => readonly Step[]
      readonly entry: readonly Step[]
      readonly choose: Step
    }
  /** `first`: what the user can do to make a trial possible, or to try the change by hand. */
  | { readonly ok: false; readonly reason: string; readonly first?: string }

export function no(reason: string, first?: string): Extract<TrialWay, { ok: false }> {
  return { ok: false, reason, ...defined({ first }) }
}

export const tryByHand = 'try it for one boot by hand: in the boot menu press e and write the change there'

/** Makes only an initramfs; the trial uses the kernel of the good entry. */
export function imageAlone(path: string): Extract<TrialWay, { ok: true }>['make'] {
  const why = 'make an initramfs for the trial only'
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
  return [{ kind: 'file', path, before, after: { text, mode }, why: 'add a boot entry for the trial' }]
}

const mebibyte = 1024 * 1024

/**
 * Undefined when there is enough space. The trial's image is about as large as the good one, plus a reserve.
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
    'free some space there (remove kernels that are no longer needed)',
  )
}
