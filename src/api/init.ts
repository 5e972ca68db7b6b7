/** `init --json`: what the host has, by use, and what was proposed. */
import { z } from 'zod'
import type { Look } from '../app/init.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { uses } from '../init/by-use.ts'
import type { Proposal } from '../init/propose.ts'
import { wishes } from '../init/wishes.ts'
import { text, texts, version, type Document } from './document.ts'
import { findings } from './finding.ts'

const device = z.object({
  address,
  name: text,
  verdict: z.enum(['ready', 'caution', 'refused', 'unknown']),
  now: text.describe('what the host uses it for, the first reason against it, or free'),
})

export const initSchema = z.object({
  ...version,
  conditional: z.optional(z.literal(true)).describe('the input does not say what the host uses'),
  uses: z.array(z.object({ use: z.enum(uses), devices: z.array(device) })),
  assignments: z.array(z.object({ vm: text, role: text, address, why: text, onlyIf: z.optional(texts) })),
  refused: z.array(
    z.object({ wish: z.enum(wishes), reasons: findings.describe('what is in the way, by name') }),
  ),
  text: z.nullable(text).describe('the home.yaml; null where no wish can be served'),
  file: z.nullable(text).describe('where it was written; null: it was not'),
  findings: findings.describe('of the plan that the home.yaml leads to'),
})

export type InitDocument = Document<typeof initSchema>

export function initDocument(
  { uses: found, conditional }: Look,
  { text: written, ...proposal }: Proposal,
  file: string | null,
): InitDocument {
  return {
    schema: 1,
    ...(conditional && { conditional }),
    uses: found,
    ...proposal,
    text: written ?? null,
    file,
  }
}
