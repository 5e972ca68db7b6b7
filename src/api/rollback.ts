/**
 * `rollback --json`: the journal that was asked for, and how all that belongs to it was taken back. A
 * confirmation is taken back with its trial: then `parts` has a result for each, in their order.
 */
import { z } from 'zod'
import type { TakenBack } from '../app/rollback.ts'
import { text, texts, version, type Document } from './document.ts'

const result = z.object({
  outcome: z.enum(['rolled-back', 'rollback-incomplete', 'nothing-to-do']),
  id: text.describe('of the journal; empty where nothing is applied'),
  leftovers: texts.describe('what is not as before, and why'),
})

export const rollbackSchema = z.object({
  ...version,
  ...result.shape,
  parts: z.optional(z.array(result)).describe('where several journals were taken back as one'),
})

export type RollbackDocument = Document<typeof rollbackSchema>

export function rollbackDocument({ results }: Extract<TakenBack, { outcome: 'ended' }>): RollbackDocument {
  const [asked, ...rest] = results
  if (rest.length === 0) return { schema: 1, ...asked }
  const isWhole = results.every(({ outcome }) => outcome === 'rolled-back')
  return {
    schema: 1,
    outcome: isWhole ? 'rolled-back' : 'rollback-incomplete',
    id: asked.id,
    leftovers: results.flatMap(({ leftovers }) => leftovers),
    parts: results,
  }
}
