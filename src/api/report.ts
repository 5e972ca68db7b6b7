/** `report --json`: the archive that was written, and what is in it. */
import { z } from 'zod'
import type { Report } from '../app/report.ts'
import { text, texts, version, type Document } from './document.ts'

export const reportSchema = z.object({
  ...version,
  file: text,
  contents: z.array(z.object({ path: text, bytes: z.int() })),
  replaced: z.int().describe('serials, MACs, ids and names that have stand-ins'),
  missing: texts.describe('what could not be read, and so is not in it'),
})

export type ReportDocument = Document<typeof reportSchema>

export function reportDocument(file: string, { files, replaced, missing }: Report): ReportDocument {
  return { schema: 1, file, contents: files, replaced, missing }
}
