/**
 * The schemas and types of the journal's record and events. The files may be damaged by a power cut, edited
 * by hand or written by a newer release: what cannot be understood is reported, never guessed.
 */
import { z } from 'zod'
import { messageOf } from '../base/errors.ts'
import { isWhole } from '../pci/identity.ts'
import type { Assignment, TakenAlong } from '../plan/types.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { absolutePath, identity, text } from '../steps/parts.ts'
import { savedSchema } from '../steps/saved-file.ts'
import { kindOf, stepSchema, type Step } from '../steps/step.ts'

/** A device without place and ids cannot be recognised. */
const whole = identity.refine(isWhole, 'its place, vendor id or device id is missing')

const assignment: z.ZodType<Assignment> = z.looseObject({
  vm: text,
  role: text,
  address,
  identity: whole,
  hostDriver: z.nullable(text).default(null),
  link: z.exactOptional(z.literal(true)),
  moved: z.nullable(z.object({ from: text, to: text })).default(null),
})
const takenAlong: z.ZodType<TakenAlong> = z.looseObject({ vm: text, address, identity: whole, because: text })
function namesItsDevice(step: Step): boolean {
  const device = kindOf(step).device?.(step)
  return device === undefined || isWhole(device.identity)
}

const concession = z.object({ address, name: text, what: text })
const settled = z.object({ address, word: text, doubts: z.array(text).readonly() })

const id = z.string().regex(/^\d{4,9}$/)

const record = z.object({
  schema: z.literal(1),
  id,
  /** ISO 8601, for people; the order of journals does not depend on it. */
  createdAt: text,
  version: text,
  /** /proc/sys/kernel/random/boot_id. Driver bindings end with the boot. */
  bootId: text,
  /** The path of the spec, if it is known. */
  spec: z.exactOptional(absolutePath),
  /** The text of the spec. `up` starts VMs from this text, even if the file has changed since. */
  specText: z.exactOptional(text),
  /** The journal of the trial that this apply made permanent. A rollback takes both back. */
  continues: z.exactOptional(id),
  planHash: text,
  needsReboot: z.boolean(),
  assignments: z.array(assignment).readonly(),
  takenAlong: z.array(takenAlong).readonly(),
  spare: z.array(address).readonly(),
  startOrder: z.array(text).readonly(),
  /** Doubts about the host's needs that the spec settled. */
  settled: z.exactOptional(z.array(settled).readonly()),
  /** What the user gave up by name when apply asked. */
  givenUp: z.exactOptional(z.array(concession).readonly()),
  /** Only the steps that were not done yet, so a rollback never undoes the others. */
  steps: z.array(stepSchema.refine(namesItsDevice, 'its device has no recorded place or ids')).readonly(),
  saved: z.array(savedSchema).readonly(),
})

export type JournalRecord = Readonly<z.infer<typeof record>>

const at = { at: text }
const event = z.discriminatedUnion('event', [
  z.object({
    ...at,
    event: z.literal('step'),
    index: z.int().min(0),
    phase: z.enum(['started', 'done', 'failed', 'undo-started', 'undone', 'undo-failed']),
    note: z.exactOptional(text),
    /** After a command: SHA-256 of each declared output, null when absent. */
    outputs: z.exactOptional(z.record(text, z.nullable(text))),
  }),
  z.object({ ...at, event: z.literal('rollback'), cause: text }),
  z.object({
    ...at,
    event: z.literal('end'),
    outcome: z.enum(['applied', 'restored', 'not-restored', 'rolled-back', 'rollback-incomplete']),
    note: z.exactOptional(text),
  }),
])

export type JournalEvent = Readonly<z.infer<typeof event>>
type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never
export type EventWithoutTime = WithoutTime<JournalEvent>
export type StepPhase = Extract<JournalEvent, { event: 'step' }>['phase']
export type Outcome = Extract<JournalEvent, { event: 'end' }>['outcome']

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

export function parseRecord(source: string): Parsed<JournalRecord> {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    return { ok: false, reason: `record.json is damaged (${messageOf(error).slice(0, 120)})` }
  }
  const schema = (value as { schema?: unknown } | null)?.schema
  if (typeof schema === 'number' && schema > 1)
    return {
      ok: false,
      reason: `record.json was written by a newer release (schema ${schema}): use that release`,
    }
  const parsed = record.safeParse(value)
  if (parsed.success)
    return { ok: true, value: { ...parsed.data, steps: parsed.data.steps.map(withPurpose) } }
  const issue = parsed.error.issues[0]
  return {
    ok: false,
    reason: `record.json is damaged (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
  }
}

/** Releases before 0.2 recorded no purpose, so it is derived from the paths of the step. */
function withPurpose(step: Step): Step {
  if (step.kind === 'sysfs' && step.path.endsWith('/sriov_numvfs'))
    return { ...step, purpose: 'virtual-functions' }
  if (step.kind === 'file' && step.path === '/etc/handover/trial.conf' && step.after !== null)
    return { ...step, purpose: 'trial' }
  if (step.kind === 'command' && step.once && step.outputs.some((path) => path.endsWith('/grubenv')))
    return { ...step, environment: true }
  return step
}

/** Lines that are not events are skipped and reported. Only a power cut can cut the last line short. */
export function parseEvents(source: string): { events: JournalEvent[]; damage: string[] } {
  const events: JournalEvent[] = []
  const damage: string[] = []
  const lines = source.split('\n')
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const parsed = event.safeParse(parseJson(line))
    if (parsed.success) events.push(parsed.data)
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
