/** check: what is different on this host since the last good boot. It only looks. */
import { AppError, UsageError } from '../base/errors.ts'
import type { Reader, System } from '../machine/system.ts'
import type { Difference } from '../watch/compare.ts'
import type { BootRecord } from '../watch/record.ts'
import {
  differencesSince,
  givenInForce,
  readLastGood,
  readStored,
  readThisBoot,
  type LastGood,
} from './watch.ts'

export type CheckRequest = {
  readonly from?: string
}

export type Checked = {
  readonly good: LastGood
  /** Empty where there is no last good boot. */
  readonly differences: readonly Difference[]
}

/** Throws AppError when the last good boot cannot be read: then nothing is known to be safe. */
export async function check(system: System, { from }: CheckRequest = {}): Promise<Checked> {
  if (from !== undefined)
    throw new UsageError(
      'no boot of this host is compared with --from',
      'boots are recorded on the host itself: handover check',
    )
  const good = readLastGood(system)
  if (good.kind === 'unreadable') throw unreadable(good)
  if (good.kind === 'none') return { good, differences: [] }
  const now = await readThisBoot(system, givenInForce(system))
  return { good, differences: differencesSince(good, now) }
}

function unreadable({ reason, isDenied }: Extract<LastGood, { kind: 'unreadable' }>): AppError {
  const help = isDenied
    ? 'run it as root'
    : 'when the host is as you want it, accept it: handover apply home.yaml'
  return new AppError(`what the last good boot was like is not known: ${reason}`, { help })
}

/** As this boot was recorded, before its first VM started. Undefined if it was not recorded. */
export function recordedChanges(reader: Reader): Checked | undefined {
  const good = readLastGood(reader)
  if (good.kind === 'unreadable') return { good, differences: [] }
  const stored = readStored(reader)
  if (stored === undefined || good.kind === 'none') return undefined
  if (!stored.ok) return { good: { ...stored, kind: 'unreadable' }, differences: [] }
  return { good, differences: differencesSince(good, stored.record) }
}

/** `2026-01-02T03:04:05Z, kernel 6.1.0` */
export function bootWords({ at, kernel }: BootRecord): string {
  return `${at.slice(0, 19)}Z${kernel === undefined ? '' : `, kernel ${kernel}`}`
}
