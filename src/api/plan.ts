/** `plan --json`: the whole answer, before anything is touched. */
import { z } from 'zod'
import type { Finding } from '../base/finding.ts'
import { emptyPlan, type Plan } from '../plan/types.ts'
import { addressSchema as address } from '../base/address-schema.ts'
import { addresses, text, texts, version, type Document } from './document.ts'
import { findings } from './finding.ts'
import { identity } from '../steps/parts.ts'
import { stepSchema } from '../steps/step.ts'

const onlyIf = z
  .optional(texts)
  .describe('in a conditional plan: what has to be true on the machine for it to be given')

export const assignment = z.object({
  vm: text,
  role: text,
  address,
  identity,
  hostDriver: z.nullable(text).describe('the driver that the host used for it before'),
  link: z.optional(z.literal(true)).describe('the port had a link while the host had it'),
  moved: z
    .nullable(z.object({ from: text, to: text }))
    .describe('from the place in the lock, to where it is now'),
  onlyIf,
})

export const takenAlong = z.object({ vm: text, address, because: text, identity, onlyIf })
export const settled = z.object({ address, word: text, doubts: texts })
export const concession = z.object({ address, name: text, what: text })

const outageStep = z.object({
  vm: text,
  serves: texts,
  needs: texts,
  neededBy: texts,
  withinSeconds: z.nullable(z.number()),
  autostart: z.boolean(),
})

export const planSchema = z.object({
  ...version,
  conditional: z
    .optional(z.literal(true))
    .describe('the input does not say what the host uses: what it leaves open counts as free; no steps'),
  assignments: z.array(assignment),
  takenAlong: z.array(takenAlong),
  spare: addresses,
  staying: z.array(z.object({ address, because: text })),
  doubtful: z.optional(texts).describe('vm/role whose lock is in doubt'),
  settled: z.optional(z.array(settled)).describe('doubts that the spec settles'),
  concessions: z.optional(z.array(concession)).describe('what the host uses and loses; apply asks for each'),
  findings,
  steps: z.array(stepSchema).describe('empty when a finding is an error'),
  needsReboot: z.boolean(),
  again: z.optional(z.literal(true)).describe('after its apply there is more to plan'),
  memory: z.object({ pinnedMiB: z.number(), hostTotalMiB: z.nullable(z.number()) }),
  startOrder: texts,
  outage: z
    .optional(z.array(outageStep))
    .describe('what is down while the host reboots, in the order it comes back'),
})

export type PlanDocument = Document<typeof planSchema>

export function planDocument(plan: Plan): PlanDocument {
  return { schema: 1, ...plan }
}

/** A spec with errors has a document, too: a plan of nothing, with what is wrong. */
export function planOfFindings(findings: readonly Finding[]): PlanDocument {
  return planDocument({ ...emptyPlan, findings })
}
