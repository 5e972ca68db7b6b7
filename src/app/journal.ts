/** journal: what was done to this host, when, and with what result. It only looks. */
import { defined } from '../base/defined.ts'
import { readJournals, readNamedJournal, type JournalRead } from '../apply/journal.ts'
import type { Finding } from '../base/finding.ts'
import type { System } from '../machine/system.ts'
import { findTrialProblem } from '../plan/changes/plan-boot.ts'
import { readSource } from './read-source.ts'

export type History = {
  /** Oldest first. */
  readonly journals: readonly JournalRead[]
  /** A trial boot that waits for its confirmation, or that the host came back from. */
  readonly trial?: Finding
}

export async function readHistory(system: System): Promise<History> {
  const journals = readJournals(system)
  const trial = journals.length === 0 ? undefined : findTrialProblem(await readSource(system, undefined))
  return { journals, ...defined({ trial }) }
}

/** One entry, by the number a person types: `3` or `0003`. */
export function readEntry(system: System, id: string): JournalRead {
  return readNamedJournal(system, id)
}
