/**
 * Stops before anything is touched: every object a transaction is about is read again and must stand where the plan
 * (or the journal) believes it to stand.
 */
import { AppError, exitCode } from '../base/errors.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { Step } from '../steps/step.ts'
import type { Reader, System } from '../machine/system.ts'
import { begunSteps } from './begun.ts'
import { checkIdentity } from '../steps/check-identity.ts'
import type { Journal } from './journal.ts'
import { findFunctionHolders } from '../steps/perform-attribute.ts'
import { findVfioUse } from '../steps/perform-driver.ts'
import { readStanding } from '../steps/read-state.ts'
import { findOther } from './saved.ts'

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
    if (standing.kind === 'between') differences.push(`${objectOf(step)} is half-way, neither as before nor as planned`)
    const device = deviceOf(step)
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
  const isIdle = steps.some((step) => step.kind !== 'command') && open.every((step) => step.kind === 'command')
  return isIdle ? [] : open
}

/** The device whose identity decides whether the step may be done. */
function deviceOf(step: Step): { readonly address: PciAddress; readonly identity: Identity } | undefined {
  return step.kind === 'driver' || step.kind === 'vf' ? step : step.kind === 'sysfs' ? step.of : undefined
}

/** The one thing the step is about; a command has none. */
export function objectOf(step: Step): string {
  return 'address' in step ? step.address : 'path' in step ? step.path : ''
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
    // A generator's outputs are no obstacle: what was written again since is made anew (outputs.ts).
    if (step.kind === 'command') continue
    const standing = readStanding(system, step)
    if (standing.kind === 'drifted' && begun?.has(index) !== false) drifted.push(standing.difference)
    if (step.kind === 'file' && standing.kind === 'after') drifted.push(...findOtherAttributes(system, journal, step))
    if (step.kind === 'sysfs' && standing.kind !== 'before') inUse.push(...findFunctionHolders(system, step))
    if (step.kind !== 'driver' || (standing.kind !== 'after' && standing.kind !== 'between')) continue
    const use = findVfioUse(system, step.address)
    if (use !== undefined) inUse.push(use)
  }
  return { drifted, inUse }
}

/** The apply left them as they were, so what is another one now is somebody's. Labels are the system's own to renew (restorecon). */
function findOtherAttributes(system: System, journal: Journal, step: Extract<Step, { kind: 'file' }>): string[] {
  const saved = journal.record.saved.find(({ path }) => path === step.path)
  const was = saved?.kind === 'file' ? saved.attributes : undefined
  const is = was === undefined ? undefined : system.readAttributes?.(step.path)
  if (was === undefined || is === undefined) return []
  // The mode is a part of the ACL.
  const isModeKept = step.before?.mode === step.after?.mode
  const other = findOther(was, is).filter(
    (name) => !name.startsWith('security.') && (isModeKept || name !== 'system.posix_acl_access'),
  )
  return other.length === 0 ? [] : [`${step.path} has another ${other.join(', ')} than it was left with`]
}
