/**
 * Takes recorded steps back, the last one first. Each object is read first, and one that is as before is not
 * changed, so an undo can be repeated, also after a crash. What cannot be restored is reported, and the other
 * steps are still taken back.
 */
import { messageOf } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import type { Past, Undone } from '../steps/kind.ts'
import { restoreFile } from '../steps/saved.ts'
import { checkpointBoot, kindOf, readStanding, type Step } from '../steps/step.ts'
import type { ApplyEvent } from './events.ts'
import { copiesOf, openJournal, type Journal, type JournalEvent, type JournalRecord } from './journal.ts'
import type { EventWithoutTime } from './record.ts'

/** `later` and `elsewhere`: see `Past` in steps/kind.ts. */
export type Undoing = Pick<Journal, 'record' | 'events'> & {
  readonly later: boolean
  readonly elsewhere?: boolean
  /** Indexes of the steps that were begun. Absent: all. */
  readonly begun?: ReadonlySet<number>
}

/** Returns one line for each thing that could not be restored. Empty: the host is as before. */
export async function undoSteps(
  system: System,
  journal: Undoing,
  report: (event: ApplyEvent) => void,
): Promise<string[]> {
  const leftovers: string[] = []
  const atTheEnd: NonNullable<Undone['atTheEnd']>[] = []
  const open = openJournal(system, journal.record)
  // Restoring the host is more important than recording it: a full disk must not prevent it.
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
  if (atTheEnd.length > 0) for (const step of journal.record.steps) await checkpointBoot(system, step)
  leftovers.push(...(await tidy(system, journal.record)))
  return leftovers
}

/**
 * A step that was not begun changed nothing. A journal that is read later may have lost its last lines, so an
 * object counts as changed by others only when it is in neither state of its step.
 */
function isOfOthers(system: System, { begun, later, record }: Undoing, index: number): boolean {
  const step = record.steps[index]
  if (step === undefined || begun === undefined || begun.has(index)) return false
  return !later || readStanding(system, step).kind === 'drifted'
}

/**
 * Removes temporary files of interrupted writes, and the folders that the apply created, if they are empty.
 */
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

/** Undefined when the step did not finish: its outputs are damaged then. */
function leftBy(events: readonly JournalEvent[], index: number): Past['left'] {
  const done = events.findLast(
    (event) => event.event === 'step' && event.index === index && event.outputs !== undefined,
  )
  return done?.event === 'step' ? done.outputs : undefined
}

async function undoStep(system: System, past: Past, step: Step): Promise<Undone> {
  try {
    const undone = await kindOf(step).undo(system, past, step)
    await checkpointBoot(system, step)
    return undone
  } catch (error) {
    return { restored: false, note: messageOf(error) }
  }
}
