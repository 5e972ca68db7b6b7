/** `capture --json`: the file that was written, or the text of the capture, and what is in it. */
import { z } from 'zod'
import type { Captured } from '../sources/capture/capture.ts'
import { text, version, type Document } from './document.ts'
import { findings } from './finding.ts'

export const captureSchema = z.object({
  ...version,
  file: z.optional(text).describe('where it was written'),
  text: z.optional(text).describe('the capture, where it was not written to a file'),
  devices: z.int().describe('PCI functions'),
  replaced: z.int().describe('serials, MACs, ids and names that have stand-ins'),
  findings: findings.describe('what could not be read'),
})

export type CaptureDocument = Document<typeof captureSchema>

export function captureDocument(
  file: string | undefined,
  { host, replaced, text: whole }: Captured,
): CaptureDocument {
  const where = file === undefined ? { text: whole } : { file }
  return { schema: 1, ...where, devices: host.devices.length, replaced, findings: host.findings }
}
