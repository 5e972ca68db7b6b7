/**
 * The drift guard: before the first change, it reads every object of the transaction again. Each must be in
 * the state that the plan or the journal expects.
 */
import { AppError, exitCode } from '../base/errors.ts'
import type { Reader, System } from '../machine/system.ts'
import { begunSteps } from './begun.ts'
import { checkIdentity } from '../steps/check-identity.ts'
import { copiesOf, type Journal } from './journal.ts'
import { hasState, kindOf, readStanding, type Step } from '../steps/step.ts'

/** The host is not as expected, and nothing was changed. `differences` has one entry for each object. */
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

/**
 * Returns the steps that are not done yet. Throws DriftError when an object is in neither state of its step.
 */
export function guardApply(reader: Reader, steps: readonly Step[]): Step[] {
  const differences: string[] = []
  const open: Step[] = []
  for (const step of steps) {
    const standing = readStanding(reader, step)
    if (standing.kind === 'after') continue
    open.push(step)
    if (standing.kind === 'drifted' || standing.kind === 'gone') differences.push(standing.difference)
    if (standing.kind === 'between')
      differences.push(`${kindOf(step).object(step)} is half-way: neither as before nor as planned`)
    const device = kindOf(step).device?.(step)
    if (device !== undefined && standing.kind === 'before') {
      const check = checkIdentity(reader, device.address, device.identity)
      for (const line of check.differences) differences.push(`${device.address}: ${line}`)
    }
  }
  if (differences.length > 0)
    throw new DriftError(
      'the host has changed since the plan; nothing was changed:',
      differences,
      'plan again, and check what changed: handover plan',
    )
  // Generators run only when another step changes something.
  const isIdle = steps.some(hasState) && !open.some(hasState)
  return isIdle ? [] : open
}

export type UndoObstacles = {
  /** Objects that someone else changed after the apply. */
  readonly drifted: readonly string[]
  /** Objects that a running virtual machine uses. */
  readonly inUse: readonly string[]
}

/** Finds the reasons why a journal cannot be taken back. Changes nothing. */
export function findUndoObstacles(system: System, journal: Journal): UndoObstacles {
  const drifted: string[] = []
  const inUse: string[] = []
  const begun = begunSteps(journal)
  for (const [index, step] of journal.record.steps.entries()) {
    // Outputs that another program has written since are generated again (steps/outputs.ts).
    if (!hasState(step)) continue
    const kind = kindOf(step)
    const standing = readStanding(system, step)
    if (standing.kind === 'drifted' && begun?.has(index) !== false) drifted.push(standing.difference)
    drifted.push(...(kind.changedBeside?.(system, step, copiesOf(journal.record), standing) ?? []))
    inUse.push(...(kind.inUse?.(system, step, standing) ?? []))
  }
  return { drifted, inUse }
}
