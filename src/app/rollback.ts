/**
 * rollback: takes an apply back, the newest one in force when none is named. A confirmed trial is one thing
 * to a person: the confirmation is taken back, then the trial that it made permanent, then the trials which
 * that one replaced.
 */
import { defined } from '../base/defined.ts'
import type { Journal } from '../apply/journal.ts'
import { findEarlier, findRollback, rollback, type RollbackResult } from '../apply/rollback.ts'
import type { System } from '../machine/system.ts'
import { attended, type Attendance } from './transaction.ts'

export type RollbackCaller = Attendance & {
  /** The journal that is taken back next; `after` is the one taken back before it. */
  readonly show?: (journal: Journal, after: string | undefined) => void
  /** Asked once; absent where the answer is yes. */
  readonly goOn?: (journal: Journal) => Promise<boolean>
}

export type TakenBack =
  | { readonly outcome: 'declined' }
  | {
      readonly outcome: 'ended'
      /** In the order in which they were taken back: at least one, and the last may be incomplete. */
      readonly results: readonly [RollbackResult, ...RollbackResult[]]
      /** The running kernel still has what was taken back. */
      readonly needsReboot: boolean
    }

/** `id`: a journal as a person names it. */
export async function takeBack(
  system: System,
  id: string | undefined,
  caller: RollbackCaller = {},
): Promise<TakenBack> {
  const asked = findRollback(system, id)
  if (asked !== undefined) {
    caller.show?.(asked, undefined)
    if (caller.goOn !== undefined && !(await caller.goOn(asked))) return { outcome: 'declined' }
  }
  const first = await takeOneBack(system, asked?.record.id ?? id, caller)
  const rest: RollbackResult[] = []
  let [journal, result] = [asked, first]
  let needsReboot = false
  while (journal !== undefined && result.outcome === 'rolled-back') {
    needsReboot ||= journal.record.needsReboot
    const earlier = findEarlier(system, journal.record, rest.length > 0)
    if (earlier === undefined) break
    journal = findRollback(system, earlier)
    if (journal !== undefined) caller.show?.(journal, result.id)
    result = await takeOneBack(system, earlier, caller)
    rest.push(result)
  }
  return { outcome: 'ended', results: [first, ...rest], needsReboot }
}

function takeOneBack(
  system: System,
  id: string | undefined,
  caller: RollbackCaller,
): Promise<RollbackResult> {
  const { report } = caller
  const how = { elsewhere: system.root !== undefined, ...defined({ report }) }
  return attended(caller, () => rollback(system, id, how))
}
