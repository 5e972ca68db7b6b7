/** `lock --json`: the lock that was written, and what is different in it. */
import { z } from 'zod'
import type { LockResult } from '../app/lock.ts'
import { text, version, type Document } from './document.ts'

const change = z.object({
  vm: text,
  role: text,
  kind: z.enum(['added', 'moved', 'changed', 'removed', 'unchanged']),
  from: z.optional(text),
  to: z.optional(text),
})

export const lockSchema = z.object({ ...version, file: text, changes: z.array(change) })

export type LockDocument = Document<typeof lockSchema>

export function lockDocument({ file, changes }: Extract<LockResult, { outcome: 'written' }>): LockDocument {
  return { schema: 1, file, changes }
}
