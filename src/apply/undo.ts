/**
 * Takes recorded steps back, last first, by looking where each object stands: what is already as before is
 * left alone, so undoing twice, or after a crash in the middle of an undo, is the same as undoing once.
 * Whatever cannot be restored is collected in words, never hidden, and never keeps the rest from being
 * restored.
 */
import { messageOf } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import type { Past, Undone } from '../steps/kind.ts'
import { restoreFile } from '../steps/saved.ts'
import { kindOf, readStanding, type Step } from '../steps/step.ts'
import type { ApplyEvent } from './events.ts'
import { copiesOf, openJournal, type Journal, type JournalEvent, type JournalRecord } from './journal.ts'
import type { EventWithoutTime } from './record.ts'

/** What of a journal an undo reads. */
export type Undoing = Pick<Journal, 'record' | 'events'> & {
  readonly later: boolean
  readonly elsewhere?: boolean
  /** Indexes of steps that were begun, as far as the journal shows. Absent: all. */
  readonly begun?: ReadonlySet<number>
}

/** Returns what could not be restored, one line each; empty means the host is as before. */
export async function undoSteps(
  system: System,
  journal: Undoing,
  report: (event: ApplyEvent) => void,
): Promise<string[]> {
  const leftovers: string[] = []
  const atTheEnd: NonNullable<Undone['atTheEnd']>[] = []
  const open = openJournal(system, journal.record)
  // A full disk must not keep the host from being restored: the record of the undo is the lesser good.
  const append = (event: EventWithoutTime) => {
    try {
      open.append(event)
    } catch (error) {
      report({ kind: 'warning', message: `the journal could not be written: ${messageOf(error)}` })
    }
  }
  for (const [index, step] of [...journal.record.steps.entries()].toReversed()) {
    if (isOfOthers(system, journal, index)) continue
    append({ event: 'step', index, phase: 'undo-started' })
    const result = await undoStep(system, pastOf(journal, index), step)
    const note = result.note === undefined ? {} : { note: result.note }
    append({ event: 'step', index, phase: result.restored ? 'undone' : 'undo-failed', ...note })
    report({ kind: 'step', index, step, phase: result.restored ? 'undone' : 'undo-failed', ...note })
    if (!result.restored) leftovers.push(result.note ?? '')
    if (result.atTheEnd) atTheEnd.unshift(result.atTheEnd)
  }
  for (const finish of atTheEnd) {
    const problem = await finish()
    if (problem !== undefined) leftovers.push(problem)
  }
  leftovers.push(...(await tidy(system, journal.record)))
  return leftovers
}

/**
 * A step that was never begun has nothing of ours. A journal read later may have lost its last lines: then
 * only what is neither as before nor as planned is somebody else's.
 */
function isOfOthers(system: System, { begun, later, record }: Undoing, index: number): boolean {
  const step = record.steps[index]
  if (step === undefined || begun === undefined || begun.has(index)) return false
  return !later || readStanding(system, step).kind === 'drifted'
}

/** Temporary files of a write that was cut off, and folders that were made for files that are gone again. */
async function tidy(system: System, record: JournalRecord): Promise<string[]> {
  const problems: string[] = []
  const attempt = async (what: () => Promise<void> | void) => {
    try {
      await what()
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
  for (const step of record.steps) await attempt(() => kindOf(step).tidy?.(system, step))
  for (const saved of record.saved.toReversed())
    if (saved.kind === 'no-folder') await attempt(() => restoreFile(system, copiesOf(record).folder, saved))
    else await attempt(() => system.removeLeftovers(saved.path))
  return problems
}

function pastOf({ record, events, later, elsewhere = false }: Undoing, index: number): Past {
  return { ...copiesOf(record), bootId: record.bootId, later, elsewhere, left: leftBy(events, index) }
}

/** What the step left behind; undefined when it did not finish, and whatever lies there now is torn. */
function leftBy(events: readonly JournalEvent[], index: number): Past['left'] {
  const done = events.findLast(
    (event) => event.event === 'step' && event.index === index && event.outputs !== undefined,
  )
  return done?.event === 'step' ? done.outputs : undefined
}

async function undoStep(system: System, past: Past, step: Step): Promise<Undone> {
  try {
    return await kindOf(step).undo(system, past, step)
  } catch (error) {
    return { restored: false, note: messageOf(error) }
  }
}
