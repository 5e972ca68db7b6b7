/** `savings --json`: what the replaced boxes would have cost. `null`: a figure is missing. */
import { z } from 'zod'
import type { Savings } from '../plan/outlook/savings.ts'
import { text, texts, version, type Document } from './document.ts'

const figure = z.nullable(z.number())
const box = z.object({ name: text, watts: figure, kWhPerYear: figure, costPerYear: figure, purchase: figure })

export const savingsSchema = z.object({
  ...version,
  assumptions: z.object({ hoursPerDay: z.number(), pricePerKWh: figure, currency: text, years: z.number() }),
  replaced: z.array(box),
  host: box,
  perYear: figure,
  overYears: figure,
  paidBackAfterYears: figure.describe('null: not known, or never'),
  toMeasure: texts,
})

export type SavingsDocument = Document<typeof savingsSchema>

export function savingsDocument(savings: Savings): SavingsDocument {
  return { schema: 1, ...savings }
}
