/**
 * `inspect --json`: the host, and a verdict for each device. It is made in inspect-report.ts, which needs no
 * schema.
 */
import { z } from 'zod'
import { addressSchema as address } from '../base/address-schema.ts'
import { addresses, text, texts, version, type Document } from './document.ts'
import { findings } from './finding.ts'

const need = z.object({ what: text, chain: texts.describe('from the card up to the need') })

const device = z.object({
  address,
  name: z.optional(text),
  vendorId: z.optional(text),
  deviceId: z.optional(text),
  subsystemVendorId: z.optional(text),
  subsystemId: z.optional(text),
  classCode: z.optional(text),
  driver: z.optional(z.nullable(text)),
  numaNode: z.optional(z.int()),
  resetMethods: z.optional(texts),
  iommuGroup: z.optional(z.nullable(z.int())),
  path: z.optional(text),
  serial: z.optional(text),
  neededBy: z.array(need),
  verdict: z.enum(['ready', 'caution', 'refused', 'unknown']),
  findings: texts.describe('codes'),
})

const group = z.object({
  id: z.int(),
  devices: addresses,
  viable: z.nullable(z.boolean()),
  isolated: z.enum(['yes', 'no', 'unknown']),
})

const lostNeed = z.object({
  kind: text,
  what: text,
  chain: texts,
  lost: text.describe('the name at which the trail ends'),
  why: text,
  couldBe: addresses,
})

export const inspectSchema = z.object({
  ...version,
  source: z.object({ kind: text, name: z.optional(text) }),
  iommu: z.object({
    state: z.enum(['on', 'off', 'absent', 'unknown']),
    kind: z.nullable(z.enum(['intel', 'amd', 'other'])),
    interruptRemapping: z.nullable(z.boolean()),
  }),
  devices: z.array(device),
  groups: z.array(group).describe('as the input states them'),
  predictedGroups: z.optional(z.array(addresses)).describe('the forecast from configuration space'),
  predictedConfidence: z.optional(z.array(z.enum(['high', 'low']))).describe('one for each predicted group'),
  lostNeeds: z.optional(z.array(lostNeed)).describe('needs that could not be followed to a function'),
  findings,
})

export type InspectDocument = Document<typeof inspectSchema>
