/** `advise --json`: cards, and what each slot would give them. */
import { z } from 'zod'
import type { Advice } from '../advise/advise.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { text, texts, version, type Document } from './document.ts'

const slot = z.object({
  port: address.describe('the port above the slot'),
  physicalSlot: z.optional(text).describe('the number of the socket on the board'),
  width: z.optional(z.int()).describe('lanes of the port'),
})

const advice = z.object({
  slot,
  fit: z.enum(['good', 'shared', 'bad', 'unknown']).describe('bad: the host needs what shares its group'),
  portsApart: z.optional(z.boolean()).describe('each port of the card in a group of its own'),
  confidence: z.optional(z.enum(['high', 'low'])),
  with: z.array(z.object({ address, name: text, need: z.optional(text) })),
})

const card = z.object({
  name: text,
  ids: text.describe('vendor:device; empty for any card'),
  ports: z.optional(z.int()).describe('of the usual card, each a function'),
  facts: z.array(z.object({ text, source: text, date: text.describe('year and month of looking') })),
  unknown: texts,
  slots: z.array(advice),
})

export const adviseSchema = z.object({ ...version, freeSlots: z.array(slot), cards: z.array(card) })

export type AdviseDocument = Document<typeof adviseSchema>

export function adviseDocument(advised: Advice): AdviseDocument {
  return { schema: 1, ...advised }
}
