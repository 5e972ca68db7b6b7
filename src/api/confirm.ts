/** `confirm --json`: what the transaction ended with. `apply --json` says the same, and more. */
import { z } from 'zod'
import type { ApplyResult } from '../apply/apply.ts'
import { text, texts, version, type Document } from './document.ts'

const id = text.describe('of the journal')
const failure = { id, cause: text, help: z.optional(text) }

export const results = {
  nothingToDo: z.object({ ...version, outcome: z.literal('nothing-to-do'), id: z.optional(id) }),
  applied: z.object({ ...version, outcome: z.literal('applied'), id, needsReboot: z.boolean() }),
  restored: z.object({ ...version, outcome: z.literal('restored'), ...failure }),
  notRestored: z.object({ ...version, outcome: z.literal('not-restored'), ...failure, leftovers: texts }),
}

export const confirmSchema = z.discriminatedUnion('outcome', [
  results.nothingToDo,
  results.applied,
  results.restored,
  results.notRestored,
])

export type ConfirmDocument = Document<typeof confirmSchema>

export function confirmDocument(result: ApplyResult): ConfirmDocument {
  return { schema: 1, ...result }
}
