/**
 * Journal texts into values. They may be torn by a power cut, edited by hand or written by a newer release: whatever
 * cannot be understood is said, never guessed and never thrown.
 */
import { z } from 'zod'
import type { JournalEvent, JournalRecord } from './journal.ts'

const text = z.string()
const address = z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/)
const absolute = z.string().regex(/^\/[^\0]*$/)
const identity = z.looseObject({ path: text, vendorId: text, deviceId: text })
const fileState = z.nullable(z.object({ text, mode: z.int().min(0).max(0o7777) }))
const driverState = z.object({ driver: z.nullable(text), driverOverride: z.nullable(text) })

const settings = z.object({
  mac: z.optional(z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)),
  vlan: z.optional(z.int().min(0).max(4095)),
  trust: z.optional(z.boolean()),
  spoofCheck: z.optional(z.boolean()),
})

const step = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: absolute, before: fileState, after: fileState, why: text }),
  z.object({
    kind: z.literal('driver'),
    address,
    identity,
    before: driverState,
    after: driverState,
    why: text,
  }),
  z.object({
    kind: z.literal('sysfs'),
    path: absolute,
    before: text,
    after: text,
    of: z.optional(z.object({ address, identity })),
    partial: z.optional(z.literal(true)),
    why: text,
  }),
  z.object({
    kind: z.literal('vf'),
    address,
    identity,
    number: z.int().min(0).max(65_535),
    before: settings,
    after: settings,
    why: text,
  }),
  z.object({
    kind: z.literal('command'),
    argv: z.array(text).min(1),
    outputs: z.array(absolute),
    once: z.optional(z.literal(true)),
    undo: z.optional(z.array(text).min(1)),
    why: text,
  }),
])

const saved = z.discriminatedUnion('kind', [
  z.object({ path: absolute, kind: z.literal('absent') }),
  z.object({ path: absolute, kind: z.literal('no-folder') }),
  z.object({ path: absolute, kind: z.literal('link'), target: text }),
  z.object({
    path: absolute,
    kind: z.literal('file'),
    blob: z.string().regex(/^\d{1,9}$/),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    mode: z.int().min(0).max(0o7777),
    uid: z.int().min(0),
    gid: z.int().min(0),
    attributes: z.optional(z.record(text, z.string().regex(/^[0-9a-f]*$/))),
  }),
])

const assignment = z.looseObject({ vm: text, role: text, address, identity })
const takenAlong = z.looseObject({ vm: text, address, identity, because: text })

const record = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^\d{4,9}$/),
  createdAt: text,
  version: text,
  bootId: text,
  spec: z.optional(absolute),
  continues: z.optional(z.string().regex(/^\d{4,9}$/)),
  planHash: text,
  needsReboot: z.boolean(),
  assignments: z.array(assignment),
  takenAlong: z.array(takenAlong),
  spare: z.array(address),
  startOrder: z.array(text),
  settled: z.optional(z.array(z.object({ address, word: text, doubts: z.array(text) }))),
  givenUp: z.optional(z.array(z.object({ address, name: text, what: text }))),
  steps: z.array(step),
  saved: z.array(saved),
})

const at = { at: text }
const event = z.discriminatedUnion('event', [
  z.object({
    ...at,
    event: z.literal('step'),
    index: z.int().min(0),
    phase: z.enum(['started', 'done', 'failed', 'undo-started', 'undone', 'undo-failed']),
    note: z.optional(text),
    outputs: z.optional(z.record(text, z.nullable(text))),
  }),
  z.object({ ...at, event: z.literal('rollback'), cause: text }),
  z.object({
    ...at,
    event: z.literal('end'),
    outcome: z.enum(['applied', 'restored', 'not-restored', 'rolled-back', 'rollback-incomplete']),
    note: z.optional(text),
  }),
])

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

export function parseRecord(source: string): Parsed<JournalRecord> {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    return { ok: false, reason: `record.json is damaged (${(error as Error).message.slice(0, 120)})` }
  }
  const schema = (value as { schema?: unknown } | null)?.schema
  if (typeof schema === 'number' && schema > 1)
    return { ok: false, reason: `record.json was written by a newer release (schema ${schema}): use that release` }
  const parsed = record.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data as unknown as JournalRecord }
  const issue = parsed.error.issues[0]
  return { ok: false, reason: `record.json is damaged (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})` }
}

/** A last line cut short is a power cut, expected and dropped; anything else that is not an event is damage. */
export function parseEvents(source: string): { events: JournalEvent[]; damage: string[] } {
  const events: JournalEvent[] = []
  const damage: string[] = []
  const lines = source.split('\n')
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const parsed = event.safeParse(parseJson(line))
    if (parsed.success) events.push(parsed.data as JournalEvent)
    else if (index === lines.length - 1) damage.push('the last line of events.jsonl is cut short')
    else damage.push(`line ${index + 1} of events.jsonl is not an event`)
  }
  return { events, damage }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Not JSON: the caller reports the line.
    return undefined
  }
}
