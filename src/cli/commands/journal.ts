/** `handover journal [ID]`: what was done to this host, when, and with what result. */
import { journalDocument, journalsDocument } from '../../api/journal.ts'
import { readEntry, readHistory } from '../../app/journal.ts'
import type { Journal, JournalRead } from '../../apply/journal.ts'
import { kindOf } from '../../steps/step.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { printDocument, type Context } from '../context.ts'
import { clean } from '../../base/printable.ts'

type Options = { readonly json?: boolean }

export async function runJournal(
  args: readonly string[],
  options: Options,
  context: Context,
): Promise<ExitCode> {
  const id = args[0]
  return id === undefined ? await listJournals(options, context) : showJournal(id, options, context)
}

async function listJournals(options: Options, context: Context): Promise<ExitCode> {
  const history = await readHistory(context.system)
  const { journals, trial } = history
  if (options.json) printDocument(context, journalsDocument(history))
  else if (journals.length === 0) context.out('nothing was applied on this host')
  else for (const read of journals) context.out(renderSummary(read))
  if (!options.json && trial !== undefined) context.out(`${trial.message}\n  help: ${trial.help ?? ''}`)
  return journals.every((read) => read.ok) ? exitCode.done : exitCode.errorFindings
}

function renderSummary(read: JournalRead): string {
  if (!read.ok) return clean(`${read.id}  damaged: ${read.reason}`)
  const { record, status } = read.journal
  const steps = `${record.steps.length} ${record.steps.length === 1 ? 'step' : 'steps'}`
  const help = status === 'interrupted' ? `  take it back: handover rollback ${record.id}` : ''
  return clean(
    `${record.id}  ${record.createdAt}  ${status}  ${steps}  ${record.spec ?? ''}${help}`,
  ).trimEnd()
}

function showJournal(id: string, options: Options, context: Context): ExitCode {
  const read = readEntry(context.system, id)
  if (options.json) printDocument(context, journalDocument(read))
  else context.out([renderSummary(read), ...(read.ok ? renderEvents(read.journal) : [])].join('\n'))
  return read.ok ? exitCode.done : exitCode.errorFindings
}

function renderEvents({ record, events, damage }: Journal): string[] {
  const lines = events.map((event) => {
    const time = clean(event.at.replace('T', ' ').replace(/\.\d+Z$/, 'Z'))
    if (event.event === 'rollback') return `  ${time}  rollback: ${clean(event.cause)}`
    const note = event.note ? ` (${indented(event.note)})` : ''
    if (event.event === 'end') return `  ${time}  ${event.outcome}${note}`
    const step = record.steps[event.index]
    const what = step ? clean(kindOf(step).words(step)) : `step ${event.index}`
    return `  ${time}  ${event.phase.padEnd(12)} ${what}${note}`
  })
  return [...renderSaid(record), ...lines, ...damage.map((line) => `  damage: ${clean(line)}`)]
}

/** What the person stated about the host for this apply. */
function renderSaid({ settled = [], givenUp = [] }: Journal['record']): string[] {
  return [
    ...settled.map(
      ({ address, word, doubts }) => `  ${address}  not in use by your word (${word}): ${doubts.join(', ')}`,
    ),
    ...givenUp.map(({ address, name, what }) => `  ${address}  given up by its name, ${name}: ${what}`),
  ].map(clean)
}

/** A note has a line for each thing that is left; none of them may look like an event. */
const indented = (note: string) => note.split('\n').map(clean).join('\n      ')
