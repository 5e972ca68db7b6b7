/** `check --json`: what is different since the last good boot, and which VMs must not start. */
import { z } from 'zod'
import type { Checked, Predicted } from '../app/check.ts'
import type { Difference } from '../watch/compare.ts'
import { differenceWords } from '../watch/words.ts'
import { addresses, text, texts, version, type Document } from './document.ts'

const kinds = [
  ...(['kernel', 'arguments', 'firmware', 'qemu', 'missing', 'device', 'place'] as const),
  ...(['group', 'reset', 'driver', 'link'] as const),
] as const

export const difference = z.object({
  kind: z.enum(kinds),
  about: addresses,
  before: z.nullable(texts).describe('null: not there, or not known'),
  after: z.nullable(texts),
  unsafeFor: texts.describe('the VMs that must not start'),
  words: text,
})

export const goodBoot = z
  .nullable(z.object({ at: text.describe('ISO 8601'), kernel: z.nullable(text) }))
  .describe('null: no boot is known to be good')

const prediction = z.object({
  kind: z.enum(['group', 'reset']),
  about: addresses,
  before: texts.describe('members of the group, or reset methods'),
  after: texts,
  confidence: z.enum(['high', 'low']),
  why: text,
  source: text.describe('file of the kernel, and the releases since which it has the quirk'),
})

const predictedKernel = z.object({
  kernel: text.describe('the release that was asked for'),
  running: z.nullable(text),
  predictions: z.array(prediction),
  limits: texts.describe('what is left out, and why'),
})

export const checkSchema = z.object({
  ...version,
  lastGood: goodBoot,
  differences: z
    .array(difference)
    .describe('since the last good boot; with --kernel: what that kernel would change for what VMs have'),
  prediction: z.optional(predictedKernel).describe('only with --kernel'),
  safe: z.boolean().describe('false: a VM must not start'),
})

export type CheckDocument = Document<typeof checkSchema>

export function checkDocument({ good, differences, prediction }: Checked): CheckDocument {
  return {
    schema: 1,
    lastGood: goodDocument(good),
    differences: differences.map(differenceDocument),
    ...(prediction === undefined ? {} : { prediction: predictionDocument(prediction) }),
    safe: differences.every(({ unsafeFor }) => unsafeFor.length === 0),
  }
}

function predictionDocument(predicted: Predicted): CheckDocument['prediction'] {
  const { release, running = null, predictions, limits } = predicted
  return { kernel: release, running, predictions, limits }
}

export function goodDocument(good: Checked['good']): CheckDocument['lastGood'] {
  return good.kind === 'known' ? { at: good.record.at, kernel: good.record.kernel ?? null } : null
}

export function differenceDocument(one: Difference): CheckDocument['differences'][number] {
  const { kind, about, before = null, after = null, unsafeFor } = one
  return { kind, about, before, after, unsafeFor, words: differenceWords(one) }
}
