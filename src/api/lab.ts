/** `lab run --json`: what a virtual host did, and what was checked. */
import { z } from 'zod'
import type { LabResult } from '../lab/result.ts'
import { text, texts, version, type Document } from './document.ts'

const accelerator = z.enum(['kvm', 'tcg'])
const seconds = z.number()

export const labSchema = z.object({
  ...version,
  topology: text,
  accelerator,
  acceleratorWhy: text,
  guestAccelerator: z.nullable(accelerator),
  kernel: text,
  qemu: text,
  phases: z.array(z.object({ name: text, seconds })),
  checks: z.array(z.object({ name: text, result: z.enum(['pass', 'fail']), evidence: text })),
  measurements: z.array(
    z.object({ way: z.enum(['bare host', 'passed through', 'virtio']), bytes: z.number(), seconds }),
  ),
  session: z.array(z.object({ command: text, status: z.int(), lines: texts })),
  seconds,
  ok: z.boolean(),
})

export type LabDocument = Document<typeof labSchema>

export function labDocument(result: LabResult): LabDocument {
  return result
}
