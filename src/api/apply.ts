/** `apply --json`: the plan that was applied, by its hash, and what the transaction ended with. */
import { z } from 'zod'
import type { Applied } from '../app/apply.ts'
import { results } from './confirm.ts'
import { text, type Document } from './document.ts'

const more = {
  planHash: text,
  needsReboot: z.boolean().describe('some of the plan takes effect after a reboot'),
  stepsLeft: z.nullable(z.int()).describe('steps of a plan made afterwards; null where nothing was applied'),
}

export const applySchema = z.discriminatedUnion('outcome', [
  results.nothingToDo.extend(more),
  results.applied.extend(more),
  results.restored.extend(more),
  results.notRestored.extend(more),
])

export type ApplyDocument = Document<typeof applySchema>

export function applyDocument(applied: Extract<Applied, { outcome: 'ended' }>): ApplyDocument {
  const { hash, planned, result, open } = applied
  const { needsReboot } = planned.plan
  const stepsLeft = open === undefined ? null : open.steps.length
  return { schema: 1, planHash: hash, needsReboot, ...result, stepsLeft }
}
