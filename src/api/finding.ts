/** One finding, as every document lists it. */
import { z } from 'zod'
import { addresses, text } from './document.ts'

const place = z
  .object({
    file: text,
    line: z.int(),
    column: z.int(),
    length: z.optional(z.int()).describe('characters on that line'),
  })
  .describe('where in a text; line and column count from 1')

export const finding = z.object({
  code: text.describe('fixed name (docs/findings.md)'),
  severity: z.enum(['error', 'warning', 'note']),
  message: text,
  help: z.optional(text).describe('what to do now'),
  at: z.optional(place),
  about: z.optional(addresses),
})

export const findings = z.array(finding)
