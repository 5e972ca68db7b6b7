/**
 * Takes one recorded apply back. Refuses before the first change when someone else changed an object since,
 * or when a virtual machine uses a device. Reports what it could not restore.
 */
import { defined } from '../base/defined.ts'
import { AppError, exitCode, messageOf } from '../base/errors.ts'
import { runFolder, stateFolder } from '../base/own-folders.ts'
import { isTrialCmdline, trialConfirmedPath, trialConfPath, trialResultPath } from '../boot/trial/trial.ts'
import type { System } from '../machine/system.ts'
import { takeApplyLock } from './apply-lock.ts'
import { begunSteps } from './begun.ts'
import { deaf, type Listener } from './events.ts'
import { DriftError, findUndoObstacles } from './guard.ts'
import {
  isInForce,
  isTrial,
  journalFolder,
  openJournal,
  readJournals,
  readNamedJournal,
  readTrialApplied,
  type Journal,
  type JournalRecord,
} from './journal.ts'
import { undoSteps } from './undo.ts'

export type RollbackResult = {
  readonly outcome: 'rolled-back' | 'rollback-incomplete' | 'nothing-to-do'
  readonly id: string
  /** What is not as before, and why: one line for each object. */
  readonly leftovers: readonly string[]
}

/** The journal that a rollback takes back: the named one, or the newest one that is in force. */
export function findRollback(system: System, id: string | undefined): Journal | undefined {
  if (id !== undefined) return findNamed(system, id)
  for (const read of readJournals(system).toReversed()) {
    if (!read.ok) throw damagedJournal(read.id, read.reason)
    if (isInForce(read.journal.status)) return read.journal
  }
  return undefined
}

function findNamed(system: System, id: string): Journal {
  const read = readNamedJournal(system, id)
  if (!read.ok) throw damagedJournal(read.id, read.reason)
  return read.journal
}

function damagedJournal(id: string, reason: string): AppError {
  return new AppError(`journal ${id}: ${reason}; nothing was changed`, {
    help:
      `the files from before the apply are in ${journalFolder}/${id}/saved; docs/safety.md shows how ` +
      'to restore them by hand',
    exitCode: exitCode.errorFindings,
  })
}

export async function rollback(
  system: System,
  id: string | undefined,
  options: { readonly report?: Listener; readonly elsewhere?: boolean } = {},
): Promise<RollbackResult> {
  // The lock would create a folder, so a host on which nothing was applied is answered without it.
  const state = system.stat(stateFolder)
  if (id === undefined && !state.ok && state.reason === 'absent')
    return { outcome: 'nothing-to-do', id: '', leftovers: [] }
  const report = deaf(options.report ?? (() => undefined))
  const release = takeApplyLock(system, 'rollback')
  try {
    const journal = findRollback(system, id)
    if (journal === undefined || !isInForce(journal.status))
      return { outcome: 'nothing-to-do', id: journal?.record.id ?? '', leftovers: [] }
    refuseOutOfOrder(system, journal)
    for (const damage of journal.damage) report({ kind: 'warning', message: damage })
    refuseObstacles(system, journal)
    report({ kind: 'undoing', cause: `rollback of ${journal.record.id}` })
    appendQuietly(system, journal, { event: 'rollback', cause: 'asked for' }, report)
    const begun = begunSteps(journal)
    const leftovers = await undoSteps(
      system,
      { ...journal, ...defined({ begun }), later: true, elsewhere: options.elsewhere === true },
      report,
    )
    const outcome = leftovers.length === 0 ? 'rolled-back' : 'rollback-incomplete'
    const note = [...trialResultOf(system, journal), ...leftovers].join('\n')
    appendQuietly(system, journal, { event: 'end', outcome, note }, report)
    if (outcome === 'rolled-back' && isTrial(journal.record)) endTrial(system)
    return { outcome, id: journal.record.id, leftovers }
  } finally {
    release()
  }
}

/**
 * Removes the result of the trial. A running trial boot counts as confirmed, so that it does not reboot after
 * its time.
 */
function endTrial(system: System): void {
  system.remove(trialResultPath)
  const cmdline = system.readText('/proc/cmdline', 65_536)
  if (!cmdline.ok || !isTrialCmdline(cmdline.value)) return
  system.makeFolder(runFolder)
  system.writeFile(trialConfirmedPath, 'taken back\n')
}

/**
 * The journal to take back next, so that the user can take back a confirmed trial as a whole: after the
 * confirmation its trial, then the trials which that one replaced before they were booted.
 */
export function findEarlier(
  system: System,
  { continues }: JournalRecord,
  isPart: boolean,
): string | undefined {
  if (continues !== undefined) return continues
  return isPart && system.stat(trialConfPath).ok ? readTrialApplied(system)?.id : undefined
}

/** The later journals that are in force, the newest first. */
function laterJournals(system: System, { record }: Journal): Journal[] {
  return readJournals(system)
    .flatMap((read) => (read.ok && isInForce(read.journal.status) ? [read.journal] : []))
    .filter((other) => Number(other.record.id) > Number(record.id))
    .toReversed()
}

/**
 * The apply that made a trial permanent has saved files of that trial. If the trial were taken back first, a
 * later rollback of that apply would restore these files.
 */
function refuseOutOfOrder(system: System, journal: Journal): void {
  const { id } = journal.record
  const made = laterJournals(system, journal).find(({ record }) => record.continues === id)
  if (made === undefined) return
  throw new AppError(
    `journal ${id} is the trial that ${made.record.id} made permanent; nothing was changed`,
    {
      help: `take both back: handover rollback ${made.record.id}`,
      exitCode: exitCode.errorFindings,
    },
  )
}

/** The reason why the trial boot was given up, for the journal. */
function trialResultOf(system: System, journal: Journal): string[] {
  const text = isTrial(journal.record) ? system.readText(trialResultPath, 4096) : undefined
  return text?.ok ? [text.value.trim()] : []
}

function refuseObstacles(system: System, journal: Journal): void {
  const { drifted, inUse } = findUndoObstacles(system, journal)
  if (inUse.length > 0)
    throw new AppError(`${inUse.join('\n')}\nnothing was changed`, {
      help: 'stop the virtual machines first: handover down',
    })
  if (drifted.length === 0) return
  const [newest] = laterJournals(system, journal)
  const byHand = 'make them as they were after the apply, or restore them by hand as docs/safety.md shows'
  throw new DriftError(
    `journal ${journal.record.id} cannot be taken back, because the host has changed ` +
      'since; nothing was changed:',
    drifted,
    newest ? `${newest.record.id} came later, take it back first: handover rollback; or ${byHand}` : byHand,
  )
}

/** On a full disk a rollback still restores the host, without its events. Running it again is harmless. */
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
