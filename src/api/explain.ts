/** `explain --json`: the known failures in a log; an empty list when there are none. */
import { z } from 'zod'
import type { Explained } from '../app/explain.ts'
import { certainties, emitters } from '../explain/signature.ts'
import { addresses, text, texts, version, type Document } from './document.ts'

const explanation = z.object({
  id: text.describe('stays the same in later releases, which may add others'),
  emitter: z.enum(emitters).describe('who writes such a line; guest: the system inside a VM'),
  severity: z.enum(['error', 'warning', 'note']),
  cause: text,
  proof: text.describe('a command that only reads; words in capitals are to be filled in'),
  remedy: texts.describe('the safest first'),
  source: text.describe('the file that writes the line, mostly with its function; or who reports it'),
  certainty: z.enum(certainties).describe('seen: produced on purpose; source: as the program is written'),
  line: z.int().describe('where it stands first, counted from 1'),
  quote: text.describe('that line, cut, without control characters'),
  count: z.int().describe('how many lines say it'),
  devices: addresses.describe('the PCI addresses in these lines'),
})

export const explainSchema = z.object({
  ...version,
  source: text.describe('the file, or "standard input"'),
  lines: z.int(),
  explanations: z.array(explanation),
})

export type ExplainDocument = Document<typeof explainSchema>

export function explainDocument({ name, lines, explanations }: Explained): ExplainDocument {
  return { schema: 1, source: name, lines, explanations }
}
