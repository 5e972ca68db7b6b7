/**
 * rollback: takes one recorded apply back. Refuses, with nothing touched, where someone else changed a thing since or a
 * virtual machine still uses a device; says what it could not restore.
 */
import { AppError, exitCode } from '../errors.ts'
import { trialConfPath, trialResultPath } from '../boot/trial.ts'
import type { System } from '../system/system.ts'
import { takeApplyLock } from './apply.ts'
import { deaf, type Listener } from './events.ts'
import { DriftError, findUndoObstacles } from './guard.ts'
import { isInForce, journalFolder, openJournal, readJournal, readJournals, type Journal } from './journal.ts'
import { messageOf, undoSteps } from './undo.ts'

export type RollbackResult = {
  readonly outcome: 'rolled-back' | 'rollback-incomplete' | 'nothing-to-do'
  readonly id: string
  /** What is not as before, and why; one line each. */
  readonly leftovers: readonly string[]
}

/** The journal a rollback would take back: the one named, or the newest whose changes may still be there. */
export function findRollback(system: System, id: string | undefined): Journal | undefined {
  if (id !== undefined) return findNamed(system, id)
  for (const read of readJournals(system).toReversed()) {
    if (!read.ok) throw damagedJournal(read.id, read.reason)
    if (isInForce(read.journal.status)) return read.journal
  }
  return undefined
}

function findNamed(system: System, id: string): Journal {
  const name = /^\d{1,9}$/.test(id) ? id.padStart(4, '0') : undefined
  const read = name === undefined ? undefined : readJournal(system, name)
  if (read === undefined)
    throw new AppError(`there is no journal ${id}`, {
      help: 'see what there is: handover journal',
      exitCode: exitCode.usage,
    })
  if (!read.ok) throw damagedJournal(read.id, read.reason)
  return read.journal
}

function damagedJournal(id: string, reason: string): AppError {
  return new AppError(`journal ${id}: ${reason}; nothing was changed`, {
    help: `the files as they were are in ${journalFolder}/${id}/saved; docs/safety.md shows how to put them back by hand`,
    exitCode: exitCode.errorFindings,
  })
}

export async function rollback(
  system: System,
  id: string | undefined,
  options: { readonly report?: Listener } = {},
): Promise<RollbackResult> {
  const report = deaf(options.report ?? (() => undefined))
  const release = takeApplyLock(system, 'rollback')
  try {
    const journal = findRollback(system, id)
    if (journal === undefined || !isInForce(journal.status))
      return { outcome: 'nothing-to-do', id: journal?.record.id ?? '', leftovers: [] }
    for (const damage of journal.damage) report({ kind: 'warning', message: damage })
    refuseObstacles(system, journal)
    report({ kind: 'undoing', cause: `rollback of ${journal.record.id}` })
    appendQuietly(system, journal, { event: 'rollback', cause: 'asked for' }, report)
    const leftovers = await undoSteps(system, journal, report)
    const outcome = leftovers.length === 0 ? 'rolled-back' : 'rollback-incomplete'
    const note = [...trialResultOf(system, journal), ...leftovers].join('\n')
    appendQuietly(system, journal, { event: 'end', outcome, note }, report)
    // A trial that is taken back is over: its verdict must not speak about the next one.
    if (outcome === 'rolled-back' && isTrial(journal)) system.remove(trialResultPath)
    return { outcome, id: journal.record.id, leftovers }
  } finally {
    release()
  }
}

function isTrial({ record }: Journal): boolean {
  return record.steps.some((step) => step.kind === 'file' && step.path === trialConfPath && step.after !== null)
}

/** Why the trial was given up, kept in the journal. */
function trialResultOf(system: System, journal: Journal): string[] {
  const text = isTrial(journal) ? system.readText(trialResultPath, 4096) : undefined
  return text?.ok ? [text.value.trim()] : []
}

function refuseObstacles(system: System, journal: Journal): void {
  const { drifted, inUse } = findUndoObstacles(system, journal)
  if (inUse.length > 0)
    throw new AppError(`${inUse.join('\n')}\nnothing was changed`, {
      help: 'stop the virtual machines first: handover down',
    })
  if (drifted.length > 0)
    throw new DriftError(
      `journal ${journal.record.id} cannot be taken back, because something else changed since; nothing was changed:`,
      drifted,
      'put these back as they were after the apply, or by hand as docs/safety.md shows',
    )
}

/** A rollback on a full disk still restores the host; only its record suffers, and running it again is harmless. */
function appendQuietly(
  system: System,
  journal: Journal,
  event: Parameters<ReturnType<typeof openJournal>['append']>[0],
  report: Listener,
): void {
  try {
    openJournal(system, journal.record).append(event)
  } catch (error) {
    report({ kind: 'warning', message: `the journal could not be written: ${messageOf(error)}` })
  }
}
