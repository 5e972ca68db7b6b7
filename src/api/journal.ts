/** `journal --json`: every entry in short, and the trial under way. `journal ID --json`: one entry, whole. */
import { z } from 'zod'
import type { History } from '../app/journal.ts'
import type { JournalRead } from '../apply/journal.ts'
import { addresses, text, texts, version, type Document } from './document.ts'
import { finding } from './finding.ts'
import { assignment, concession, settled, takenAlong } from './plan.ts'
import { stepSchema } from '../steps/step.ts'

const status = z.enum([
  'applied',
  'restored',
  'not-restored',
  'rolled-back',
  'rollback-incomplete',
  'interrupted',
])

const damaged = z.object({ id: text, status: z.literal('damaged'), reason: text })

const summary = z.object({
  id: text,
  createdAt: text,
  status,
  spec: z.nullable(text),
  planHash: text,
  needsReboot: z.boolean(),
  steps: z.int(),
  damage: texts,
})

export const journalsSchema = z.object({
  ...version,
  journals: z.array(z.union([summary, damaged])),
  trial: z.nullable(finding).describe('a trial boot that waits for its confirmation, or that ended without'),
})

export type JournalsDocument = Document<typeof journalsSchema>

const at = { at: text.describe('ISO 8601') }

const event = z.discriminatedUnion('event', [
  z.object({
    ...at,
    event: z.literal('step'),
    index: z.int(),
    phase: z.enum(['started', 'done', 'failed', 'undo-started', 'undone', 'undo-failed']),
    note: z.optional(text),
    outputs: z.optional(z.record(text, z.nullable(text))).describe('path → SHA-256; null: no such file'),
  }),
  z.object({ ...at, event: z.literal('rollback'), cause: text }),
  z.object({
    ...at,
    event: z.literal('end'),
    outcome: status.exclude(['interrupted']),
    note: z.optional(text),
  }),
])

const saved = z.discriminatedUnion('kind', [
  z.object({ path: text, kind: z.literal('absent') }),
  z.object({ path: text, kind: z.literal('no-folder') }),
  z.object({ path: text, kind: z.literal('link'), target: text }),
  z.object({
    path: text,
    kind: z.literal('file'),
    blob: text,
    sha256: text,
    mode: z.int(),
    uid: z.int(),
    gid: z.int(),
    attributes: z.optional(z.record(text, text)),
  }),
])

const entry = z.object({
  ...version,
  id: text,
  createdAt: text,
  version: text,
  bootId: text,
  spec: z.optional(text),
  continues: z.optional(text).describe('the trial that this one made permanent'),
  planHash: text,
  needsReboot: z.boolean(),
  assignments: z.array(assignment),
  takenAlong: z.array(takenAlong),
  spare: addresses,
  startOrder: texts,
  settled: z.optional(z.array(settled)),
  givenUp: z.optional(z.array(concession)),
  steps: z.array(stepSchema),
  saved: z.array(saved),
  status,
  events: z.array(event),
  damage: texts,
})

export const journalSchema = z.union([entry, damaged.extend(version)])

export type JournalDocument = Document<typeof journalSchema>

export function journalsDocument({ journals, trial }: History): JournalsDocument {
  return { schema: 1, journals: journals.map(summaryOf), trial: trial ?? null }
}

export function journalDocument(read: JournalRead): JournalDocument {
  if (!read.ok) return { schema: 1, ...damagedOf(read) }
  const { record, events, status: state, damage } = read.journal
  return { ...record, status: state, events, damage }
}

function summaryOf(read: JournalRead): JournalsDocument['journals'][number] {
  if (!read.ok) return damagedOf(read)
  const { record, status: state, damage } = read.journal
  const { id, createdAt, spec, planHash, needsReboot, steps } = record
  return {
    id,
    createdAt,
    status: state,
    spec: spec ?? null,
    planHash,
    needsReboot,
    steps: steps.length,
    damage,
  }
}

function damagedOf({ id, reason }: Extract<JournalRead, { ok: false }>): Document<typeof damaged> {
  return { id, status: 'damaged', reason }
}
