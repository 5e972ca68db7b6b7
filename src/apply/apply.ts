/**
 * Applies a plan: lock, drift guard, journal, perform, read again. Afterwards the host is as planned or as
 * before; otherwise the result names what is not. The plan decides what changes.
 */
import { defined } from '../base/defined.ts'
import { AppError, exitCode, messageOf } from '../base/errors.ts'
import type { Plan } from '../plan/types.ts'
import type { System } from '../machine/system.ts'
import { trialResultPath } from '../boot/trial/trial.ts'
import type { Host } from '../host/host.ts'
import { readHost } from '../host/read/read-host.ts'
import type { Identity } from '../pci/identity.ts'
import { takeApplyLock, untouched } from './apply-lock.ts'
import { readBootId } from '../steps/boot-id.ts'
import { leavingFunctions, needsCheck } from '../steps/check-needs.ts'
import { deaf, type Listener } from './events.ts'
import { guardApply } from './guard.ts'
import {
  beginJournal,
  copiesFolder,
  copiesOf,
  clearAbandoned,
  isTrial,
  journalFolder,
  nextId,
  readJournals,
  readLastApplied,
} from './journal.ts'
import type { JournalRecord, OpenJournal } from './journal.ts'
import { ChangedMeanwhile } from '../steps/changed-meanwhile.ts'
import type { Limits, Performing } from '../steps/kind.ts'
import { hashPlan } from './plan-hash.ts'
import { rememberSerials } from './remember.ts'
import { saveFiles } from '../steps/saved.ts'
import { hasState, kindOf, performStep, readStanding, type Step } from '../steps/step.ts'
import { undoSteps } from './undo.ts'

export type ApplyOptions = {
  readonly report?: Listener
  /** Absolute path of the spec; it is recorded. */
  readonly spec?: string
  /** The text of that spec. */
  readonly specText?: string
  /** Whether the recorded text has the same meaning as the spec. Absent: it has. */
  readonly isSameSpec?: (applied: string | undefined) => boolean
  readonly version?: string
  /** Checked between steps. An aborted apply is taken back. */
  readonly signal?: AbortSignal
  readonly limits?: Limits
  /**
   * The host that the plan was made for: a need that is new since then keeps a device from leaving. Absent:
   * the host as it is when the apply begins.
   */
  readonly host?: Host
  /** Id of the trial that this apply makes permanent. */
  readonly continues?: string
}

export type ApplyResult =
  | { readonly outcome: 'nothing-to-do'; readonly id?: string }
  | { readonly outcome: 'applied'; readonly id: string; readonly needsReboot: boolean }
  | { readonly outcome: 'restored'; readonly id: string; readonly cause: string; readonly help?: string }
  | {
      readonly outcome: 'not-restored'
      readonly id: string
      readonly cause: string
      readonly leftovers: readonly string[]
      readonly help?: string
    }

/**
 * Throws AppError when it stops before the first change (DriftError is one); every later failure is a result.
 */
export async function apply(plan: Plan, system: System, options: ApplyOptions = {}): Promise<ApplyResult> {
  const report = deaf(options.report ?? (() => undefined))
  const release = takeApplyLock(system, 'apply')
  try {
    refuseUnfinished(system)
    const steps = guardApply(system, plan.steps)
    const last = readLastApplied(system)
    const isKnown =
      last !== undefined && isSameOwnership(last, plan) && options.isSameSpec?.(last.specText) !== false
    if (steps.length === 0 && isKnown) return { outcome: 'nothing-to-do' }
    const complete = last === undefined ? plan : rememberSerials(plan, last)
    const journal = await begin(system, complete, { steps, options, planHash: await hashPlan(plan) })
    const { record } = journal
    report({ kind: 'begun', id: record.id, steps: steps.length })
    const leaving = leavingFunctions(steps)
    const mayLeave =
      leaving.size === 0
        ? {}
        : { mayLeave: needsCheck(system, options.host ?? readHost(system, undefined, 'verdicts'), leaving) }
    return await transact(system, journal, {
      report,
      signal: options.signal,
      how: { ...options.limits, ...mayLeave },
    })
  } catch (error) {
    throw untouched(error)
  } finally {
    release()
  }
}

function refuseUnfinished(system: System): void {
  for (const read of readJournals(system)) {
    if (!read.ok)
      throw new AppError(
        `journal ${read.id}: ${read.reason}; what it changed is unknown, so nothing was changed`,
        {
          help:
            'see "A damaged journal" in docs/safety.md; when the host is as you want it: mv ' +
            `${journalFolder}/${read.id} ${journalFolder}/${read.id}.damaged`,
          exitCode: exitCode.applyFailedRestored,
        },
      )
    if (read.journal.status !== 'interrupted') continue
    const { id, createdAt } = read.journal.record
    throw new AppError(`apply ${id} of ${createdAt} was interrupted half-way; nothing more was changed`, {
      help: `take it back first: handover rollback ${id}`,
      exitCode: exitCode.applyFailedRestored,
    })
  }
}

function isSameOwnership(last: JournalRecord, plan: Plan): boolean {
  const who = ({ path, vendorId, deviceId, deviceSerialNumber }: Identity) => [
    path,
    vendorId,
    deviceId,
    deviceSerialNumber,
  ]
  const of = (from: Pick<Plan, 'assignments' | 'takenAlong' | 'startOrder'>) =>
    JSON.stringify([
      from.assignments.map((a) => [a.vm, a.role, a.address, ...who(a.identity)]),
      from.takenAlong.map((t) => [t.vm, t.address, ...who(t.identity)]),
      from.startOrder,
    ])
  return of(last) === of(plan)
}

/** Removes the copies of an apply that cannot begin, since they would keep a full disk full. */
async function begin(...given: Parameters<typeof makeRecord>): Promise<OpenJournal> {
  const [system] = given
  try {
    return beginJournal(system, await makeRecord(...given))
  } catch (error) {
    try {
      clearAbandoned(system)
    } catch {
      // The next apply tries to clear again; the first error is the one to report.
    }
    throw error
  }
}

async function makeRecord(
  system: System,
  plan: Plan,
  what: { readonly steps: readonly Step[]; readonly options: ApplyOptions; readonly planHash: string },
): Promise<JournalRecord> {
  clearAbandoned(system)
  const id = nextId(system)
  const folder = copiesFolder(id)
  system.makeFolder(folder, 0o700)
  const paths = what.steps.flatMap((step) => kindOf(step).files?.(system, step) ?? [])
  const saved = await saveFiles(system, folder, paths)
  for (const step of what.steps) await kindOf(step).refuseLoss?.(step, saved)
  return {
    schema: 1,
    id,
    createdAt: system.now().toISOString(),
    version: what.options.version ?? 'dev',
    bootId: readBootId(system),
    ...defined({
      spec: what.options.spec,
      specText: what.options.specText,
      continues: what.options.continues,
    }),
    planHash: what.planHash,
    needsReboot: plan.needsReboot,
    assignments: plan.assignments,
    takenAlong: plan.takenAlong,
    spare: plan.spare,
    startOrder: plan.startOrder,
    ...defined({ settled: plan.settled, givenUp: plan.concessions }),
    steps: what.steps,
    saved,
  }
}

type Run = { readonly report: Listener; readonly signal: AbortSignal | undefined; readonly how: Performing }

async function transact(system: System, journal: OpenJournal, run: Run): Promise<ApplyResult> {
  const { record } = journal
  const begun = new Set<number>()
  try {
    // The result of an earlier trial must not be taken for the result of this one.
    if (isTrial(record)) system.remove(trialResultPath)
    for (const [index, step] of record.steps.entries()) {
      if (run.signal?.aborted) throw new AppError('the apply was asked to stop')
      begun.add(index)
      await performRecorded(system, journal, { index, step, run })
    }
    readAgain(system, record.steps)
    journal.append({ event: 'end', outcome: 'applied' })
    return { outcome: 'applied', id: record.id, needsReboot: record.needsReboot }
  } catch (error) {
    // This step changed nothing, so it must not be taken back.
    if (error instanceof ChangedMeanwhile) begun.delete(Math.max(...begun))
    return takeBack(system, journal, { error, begun, report: run.report })
  }
}

async function performRecorded(
  system: System,
  journal: OpenJournal,
  what: { readonly index: number; readonly step: Step; readonly run: Run },
): Promise<void> {
  const { index, step } = what
  const { report, how } = what.run
  const begun = Date.now()
  journal.append({ event: 'step', index, phase: 'started' })
  report({ kind: 'step', index, step, phase: 'started' })
  try {
    refuseDrifted(system, step)
    await performStep(system, step, { ...how, copies: copiesOf(journal.record) })
  } catch (error) {
    report({ kind: 'step', index, step, phase: 'failed', note: messageOf(error) })
    try {
      journal.append({ event: 'step', index, phase: 'failed', note: messageOf(error) })
    } catch (second) {
      report({ kind: 'warning', message: `the journal could not be written: ${messageOf(second)}` })
    }
    throw error
  }
  const left = await kindOf(step).leaves?.(system, step)
  journal.append({ event: 'step', index, phase: 'done', ...defined({ outputs: left }) })
  report({ kind: 'step', index, step, phase: 'done', seconds: (Date.now() - begun) / 1000 })
}

/** Reads the object again right before the step, since it may have changed after the drift guard. */
function refuseDrifted(system: System, step: Step): void {
  const standing = readStanding(system, step)
  if (standing.kind === 'drifted' || standing.kind === 'gone') throw new ChangedMeanwhile(standing.difference)
}

/** Reads all objects again after the last step, since a later step may have undone an earlier one. */
function readAgain(system: System, steps: readonly Step[]): void {
  for (const step of steps) {
    if (!hasState(step)) continue
    const standing = readStanding(system, step)
    if (standing.kind === 'after') continue
    throw new AppError(
      'difference' in standing
        ? standing.difference
        : `${kindOf(step).object(step)} is not as planned when read again`,
    )
  }
}

async function takeBack(
  system: System,
  journal: OpenJournal,
  what: { readonly error: unknown; readonly begun: ReadonlySet<number>; readonly report: Listener },
): Promise<ApplyResult> {
  const { record } = journal
  const cause = messageOf(what.error)
  const help =
    what.error instanceof AppError && what.error.help !== undefined ? { help: what.error.help } : {}
  what.report({ kind: 'undoing', cause })
  // A command without a recorded end counts as interrupted, and its outputs as damaged.
  const leftovers = await undoSteps(
    system,
    { record, events: [], later: false, begun: what.begun },
    what.report,
  )
  const outcome = leftovers.length === 0 ? 'restored' : 'not-restored'
  try {
    journal.append({ event: 'end', outcome, note: cause })
  } catch (error) {
    what.report({ kind: 'warning', message: `the journal could not be closed: ${messageOf(error)}` })
  }
  if (outcome === 'restored') return { outcome, id: record.id, cause, ...help }
  return { outcome, id: record.id, cause, leftovers, ...help }
}
