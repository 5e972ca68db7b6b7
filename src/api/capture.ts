/** `capture -o FILE --json`: the file that was written, and what is in it. */
import { z } from 'zod'
import type { Captured } from '../sources/capture/capture.ts'
import { text, version, type Document } from './document.ts'
import { findings } from './finding.ts'

export const captureSchema = z.object({
  ...version,
  file: text,
  devices: z.int().describe('PCI functions'),
  replaced: z.int().describe('serials, MACs, ids and names that have stand-ins'),
  findings: findings.describe('what could not be read'),
})

export type CaptureDocument = Document<typeof captureSchema>

export function captureDocument(file: string, { host, replaced }: Captured): CaptureDocument {
  return { schema: 1, file, devices: host.devices.length, replaced, findings: host.findings }
}
