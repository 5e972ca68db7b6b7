/**
 * Stops before anything is touched: every object a transaction is about is read again and must stand where
 * the plan (or the journal) believes it to stand.
 */
import { AppError, exitCode } from '../base/errors.ts'
import type { Reader, System } from '../machine/system.ts'
import { begunSteps } from './begun.ts'
import { checkIdentity } from '../steps/check-identity.ts'
import { copiesOf, type Journal } from './journal.ts'
import { hasState, kindOf, readStanding, type Step } from '../steps/step.ts'

/** The host is not as expected; nothing was changed. `differences` has one entry per object. */
export class DriftError extends AppError {
  readonly differences: readonly string[]
  constructor(message: string, differences: readonly string[], help: string) {
    super(`${message}\n${differences.map((line) => `  ${line.replaceAll('\n', '\n  ')}`).join('\n')}`, {
      help,
      exitCode: exitCode.applyFailedRestored,
    })
    this.differences = differences
  }
}

/** The steps that are still to do. Throws DriftError when one object is neither as before nor as after. */
export function guardApply(reader: Reader, steps: readonly Step[]): Step[] {
  const differences: string[] = []
  const open: Step[] = []
  for (const step of steps) {
    const standing = readStanding(reader, step)
    if (standing.kind === 'after') continue
    open.push(step)
    if (standing.kind === 'drifted' || standing.kind === 'gone') differences.push(standing.difference)
    if (standing.kind === 'between')
      differences.push(`${kindOf(step).object(step)} is half-way, neither as before nor as planned`)
    const device = kindOf(step).device?.(step)
    if (device !== undefined && standing.kind === 'before') {
      const check = checkIdentity(reader, device.address, device.identity)
      for (const line of check.differences) differences.push(`${device.address}: ${line}`)
    }
  }
  if (differences.length > 0)
    throw new DriftError(
      'the host is not as the plan saw it; nothing was changed:',
      differences,
      'plan again and look at what changed: handover plan',
    )
  // Generators run again only when something they read is changed.
  const isIdle = steps.some(hasState) && !open.some(hasState)
  return isIdle ? [] : open
}

export type UndoObstacles = {
  /** Someone changed it since: a reason to refuse. */
  readonly drifted: readonly string[]
  /** Used by a running virtual machine: a reason to refuse. */
  readonly inUse: readonly string[]
}

/** What stands in the way of taking a journal back; looks only. */
export function findUndoObstacles(system: System, journal: Journal): UndoObstacles {
  const drifted: string[] = []
  const inUse: string[] = []
  const begun = begunSteps(journal)
  for (const [index, step] of journal.record.steps.entries()) {
    // A generator's outputs are no obstacle: what was written again since is generated again
    // (steps/outputs.ts).
    if (!hasState(step)) continue
    const kind = kindOf(step)
    const standing = readStanding(system, step)
    if (standing.kind === 'drifted' && begun?.has(index) !== false) drifted.push(standing.difference)
    drifted.push(...(kind.changedBeside?.(system, step, copiesOf(journal.record), standing) ?? []))
    inUse.push(...(kind.inUse?.(system, step, standing) ?? []))
  }
  return { drifted, inUse }
}
