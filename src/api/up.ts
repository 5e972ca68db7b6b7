/** `up --json`: what happened, in order. */
import { z } from 'zod'
import type { UpEvent } from '../run/up.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { text, texts, version, type Document } from './document.ts'
import { vmRecord } from './status.ts'

const seconds = z.number()
const given = z.object({
  role: text.describe('empty: taken along'),
  address,
  classCode: z.optional(text),
  absent: z.optional(z.literal(true)),
})

const event = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('spec-changed'),
    vm: text,
    file: text.describe('describes the VM in another way'),
  }),
  z.object({
    kind: z.literal('host-changed'),
    vm: text.describe('the first that is to start'),
    differences: texts.describe('since the last good boot; see handover check'),
  }),
  z.object({ kind: z.literal('unrecorded'), vm: text, said: text.describe('why this boot is not recorded') }),
  z.object({ kind: z.literal('running-already'), vm: text }),
  z.object({ kind: z.literal('being-started'), vm: text, process: z.int().describe('who starts it') }),
  z.object({
    kind: z.literal('starts-without'),
    vm: text,
    role: text.describe('of an optional device'),
    address,
    why: text,
  }),
  z.object({ kind: z.literal('starting'), vm: text, functions: z.array(given) }),
  z.object({ kind: z.literal('started'), vm: text, record: vmRecord, seconds }),
  z.object({ kind: z.literal('answered'), vm: text, said: text, seconds }),
  z.object({ kind: z.literal('left-out'), vm: text, needs: text.describe('a VM that is not up') }),
])

export const upSchema = z.object({ ...version, events: z.array(event) })

export type UpDocument = Document<typeof upSchema>

/** Waiting is progress, and no result. */
export function upDocument(events: readonly UpEvent[]): UpDocument {
  return { schema: 1, events: events.filter((one) => one.kind !== 'waiting') }
}
