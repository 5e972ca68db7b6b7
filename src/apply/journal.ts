/**
 * The journal records every change of the host before it is made. Each apply has a folder under
 * /var/lib/handover/journal:
 *
 *     0007/record.json   steps, assignments, identities, list of saved files; written once, before the first change
 *     0007/saved/3       bytes of a file before the apply (its number is in `record.saved`)
 *     0007/events.jsonl  one line per event, appended and fsynced
 *
 * Ids are counted, so a clock that is set back cannot change their order. A folder without record.json is
 * from an apply that ended before its first change.
 */
import { AppError, exitCode, UsageError } from '../base/errors.ts'
import { runFolder, stateFolder } from '../base/own-folders.ts'
import type { Reader, System } from '../machine/system.ts'
import type { Copies } from '../steps/kind.ts'
import { purposeOf } from '../steps/step.ts'
import {
  parseEvents,
  parseRecord,
  type EventWithoutTime,
  type JournalEvent,
  type JournalRecord,
  type Outcome,
} from './record.ts'
import { logEntry } from './system-log.ts'

export type { JournalEvent, JournalRecord, Outcome, StepPhase } from './record.ts'

export const journalFolder = `${stateFolder}/journal`
const recordLimit = 64 * 1024 * 1024

/** In memory, so that a full or read-only disk cannot prevent a rollback. */
export const lockPath = `${runFolder}/lock`

/** `interrupted`: the process ended before it recorded an outcome (a power cut, SIGKILL). */
export type JournalStatus = Outcome | 'interrupted'

export type Journal = {
  readonly record: JournalRecord
  readonly events: readonly JournalEvent[]
  readonly status: JournalStatus
  /** What is wrong with events.jsonl. */
  readonly damage: readonly string[]
}

export type JournalRead =
  | { readonly ok: true; readonly journal: Journal }
  | { readonly ok: false; readonly id: string; readonly reason: string }

export function copiesFolder(id: string): string {
  return `${journalFolder}/${id}/saved`
}

export function copiesOf({ id, saved }: JournalRecord): Copies {
  return { folder: copiesFolder(id), saved }
}

/**
 * All journals, the oldest first, without those of applies that never began. Throws when the folder is
 * unreadable.
 */
export function readJournals(reader: Reader): JournalRead[] {
  const names = reader.list(journalFolder)
  if (!names.ok) {
    if (names.reason === 'absent') return []
    const isDenied = names.code === 'EACCES' || names.code === 'EPERM'
    throw new AppError(
      `${journalFolder} cannot be read (${names.code ?? names.reason}), so earlier changes are not known`,
      {
        help: isDenied ? 'run it as root' : 'see what the kernel reports about that disk: dmesg | tail',
      },
    )
  }
  const journals: JournalRead[] = []
  for (const name of names.value.filter(isId).toSorted((a, b) => Number(a) - Number(b))) {
    const journal = readJournal(reader, name)
    if (journal) journals.push(journal)
  }
  return journals
}

/** A longer number is probably a date. */
const highestId = 999_999_999

/** Four digits or more: `0007`, never `00007`. */
const idOf = (number: number) => String(number).padStart(4, '0')
const isId = (name: string) => /^\d{4,9}$/.test(name) && idOf(Number(name)) === name

export function readJournal(reader: Reader, id: string): JournalRead | undefined {
  const folder = `${journalFolder}/${id}`
  const text = reader.readText(`${folder}/record.json`, recordLimit)
  if (!text.ok) {
    if (text.reason === 'absent')
      return hasBegun(reader, id)
        ? { ok: false, id, reason: 'record.json is missing, although steps were begun' }
        : undefined
    return { ok: false, id, reason: `record.json cannot be read (${text.code ?? text.reason})` }
  }
  const record = parseRecord(text.value)
  if (!record.ok) return { ok: false, id, reason: record.reason }
  // A copy of another entry, whose id is in the record.
  if (record.value.id !== id) return undefined
  const eventText = reader.readText(`${folder}/events.jsonl`, recordLimit)
  const { events, damage } = parseEvents(eventText.ok ? eventText.value : '')
  if (!eventText.ok && eventText.reason !== 'absent')
    damage.push(`events.jsonl cannot be read (${eventText.code ?? eventText.reason})`)
  return { ok: true, journal: { record: record.value, events, status: statusOf(events), damage } }
}

/** Finds a journal by the name that the user gives, `3` or `0003`. */
export function readNamedJournal(reader: Reader, name: string): JournalRead {
  const read = /^\d{1,9}$/.test(name) ? readJournal(reader, idOf(Number(name))) : undefined
  if (read === undefined)
    throw new UsageError(`there is no journal ${name}`, 'list the journals: handover journal')
  return read
}

/** The first event is on disk before the first change. */
function hasBegun(reader: Reader, id: string): boolean {
  const events = reader.stat(`${journalFolder}/${id}/events.jsonl`)
  return events.ok || events.reason !== 'absent'
}

/**
 * Removes the copies of applies that never began (a full disk, a power cut), since each attempt leaves more
 * of them.
 */
export function clearAbandoned(system: System): void {
  for (let number = highestTaken(system) + 1; ; number += 1) {
    const folder = `${journalFolder}/${idOf(number)}`
    const inside = system.list(folder)
    // Such an apply had the next number, so a folder behind a gap is not from an apply.
    if (!inside.ok) return
    if (!inside.value.every((name) => name === 'saved' || name.startsWith('.record.json.'))) continue
    const copies = system.list(`${folder}/saved`)
    for (const name of copies.ok ? copies.value : []) system.remove(`${folder}/saved/${name}`)
    system.removeFolder(`${folder}/saved`)
    system.removeLeftovers(`${folder}/record.json`)
    system.removeFolder(folder)
  }
}

function statusOf(events: readonly JournalEvent[]): JournalStatus {
  for (const event of events.toReversed()) {
    if (event.event === 'end') return event.outcome
    if (event.event === 'rollback') return 'interrupted'
  }
  return 'interrupted'
}

/** True while the changes of the journal may be on the host. */
export function isInForce(status: JournalStatus): boolean {
  return status !== 'restored' && status !== 'rolled-back'
}

/** The next free id. A folder that is not an entry (a copy that is named by its date) is skipped. */
export function nextId(reader: Reader): string {
  let number = highestTaken(reader) + 1
  while (number <= highestId && isTaken(reader, idOf(number))) number += 1
  if (number <= highestId) return idOf(number)
  throw new AppError(
    `${journalFolder} has an entry ${highestId}, and there is no higher number; nothing was changed`,
    {
      help: `move entries that were taken back to another folder: mv ${journalFolder}/${highestId} /root/`,
      exitCode: exitCode.applyFailedRestored,
    },
  )
}

/** The highest number of an entry. An entry that was renamed by hand (`0007.damaged`) keeps its number. */
function highestTaken(reader: Reader): number {
  const names = reader.list(journalFolder)
  let highest = 0
  for (const name of names.ok ? names.value : []) {
    const [id = ''] = name.split('.')
    if (isId(id) && isEntry(reader, name, id)) highest = Math.max(highest, Number(id))
  }
  return highest
}

/** The record has this id, or it is unreadable and steps were begun. */
function isEntry(reader: Reader, name: string, id: string): boolean {
  const text = reader.readText(`${journalFolder}/${name}/record.json`, recordLimit)
  const record = text.ok ? parseRecord(text.value) : undefined
  return record?.ok ? record.value.id === id : hasBegun(reader, name)
}

function isTaken(reader: Reader, name: string): boolean {
  const there = reader.stat(`${journalFolder}/${name}`)
  return there.ok || there.reason !== 'absent'
}

export type OpenJournal = {
  readonly record: JournalRecord
  readonly append: (event: EventWithoutTime) => void
}

/** Writes the record. After this, a crash leaves a journal that can be rolled back. */
export function beginJournal(system: System, record: JournalRecord): OpenJournal {
  system.writeFile(`${journalFolder}/${record.id}/record.json`, `${JSON.stringify(record, null, 1)}\n`, {
    mode: 0o600,
  })
  return openJournal(system, record)
}

export function openJournal(system: System, record: JournalRecord): OpenJournal {
  const path = `${journalFolder}/${record.id}/events.jsonl`
  const old = system.readText(path, 64 * 1024 * 1024)
  // A line that a power cut or a full disk cut short must not be joined with the next one.
  let isTorn = old.ok && old.value !== '' && !old.value.endsWith('\n')
  return {
    record,
    append: (event) => {
      const line = `${isTorn ? '\n' : ''}${JSON.stringify({ at: system.now().toISOString(), ...event })}\n`
      isTorn = true
      try {
        system.appendFile(path, line)
        isTorn = false
      } finally {
        // Also when the disk is full: the system's journal may be on another disk, or in memory.
        system.log?.(logEntry(record, event))
      }
    },
  }
}

/**
 * The newest apply that succeeded and was not taken back. `up` and `verify` use its assignments and
 * identities, never the spec alone.
 */
export function readLastApplied(reader: Reader): JournalRecord | undefined {
  return readApplied(reader).at(-1)
}

/** The apply that prepared the current trial. A newer apply may have changed drivers since. */
export function readTrialApplied(reader: Reader): JournalRecord | undefined {
  return readApplied(reader).findLast(isTrial)
}

/** Skips journals that cannot be read, since every user may plan. */
function readApplied(reader: Reader): JournalRecord[] {
  if (!reader.list(journalFolder).ok) return []
  return readJournals(reader).flatMap((read) =>
    read.ok && read.journal.status === 'applied' ? [read.journal.record] : [],
  )
}

/** Whether the apply prepared a trial boot. */
export function isTrial({ steps }: JournalRecord): boolean {
  return steps.some((step) => purposeOf(step) === 'trial')
}
