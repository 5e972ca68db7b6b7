/** `verify --json`: what each guest reported, against what was promised. */
import { z } from 'zod'
import type { Verification } from '../app/verify.ts'
import { text, texts, version, type Document } from './document.ts'

const seen = z.object({
  vendorId: z.optional(text),
  deviceId: z.optional(text),
  classCode: z.optional(text),
  driver: z.optional(text),
  link: z.optional(z.boolean()),
  macs: z.optional(texts),
  disks: z.optional(texts).describe('serials'),
})

const role = z.object({
  vm: text,
  role: text,
  address: text.describe('on the host'),
  guestAddress: z.nullable(text),
  promised: seen,
  reported: z.nullable(seen),
  match: z.nullable(z.boolean()).describe('null: not knowable, differences say why'),
  differences: texts,
  evidence: text.describe("the guest's own line"),
})

const guestDevice = z.object({
  address: text,
  vendorId: text,
  deviceId: text,
  classCode: text,
  driver: z.optional(text),
  interface: z.optional(text),
  mac: z.optional(text),
  link: z.optional(z.boolean()),
  disks: z.array(z.object({ name: text, serial: text, sizeBytes: z.number() })),
})

const report = z.object({
  system: z.optional(text),
  devices: z.array(guestDevice),
  addresses: z.array(z.object({ interface: text, address: text })),
  facts: texts.describe('lines of any other kind'),
  lines: texts.describe('everything as it came'),
})

const vm = z.object({
  vm: text,
  roles: z.array(role),
  report: z.nullable(report),
  problem: z.nullable(text).describe('why the guest could not be asked'),
})

export const verifySchema = z.object({
  ...version,
  match: z.boolean().describe('true: there are roles, and all match'),
  vms: z.array(vm),
})

export type VerifyDocument = Document<typeof verifySchema>

export function verifyDocument(verification: Verification): VerifyDocument {
  return { schema: 1, ...verification }
}
