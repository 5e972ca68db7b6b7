/** What a command prints with `--json` when it fails before it has a document of its own. */
import { z } from 'zod'
import { AppError, exitCode } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import { version, type Document } from './document.ts'
import { findings } from './finding.ts'

/** A failed `inspect` or `plan` also has the lists of its document, empty (`listsOf`). */
export const failureSchema = z.object({
  ...version,
  findings: findings.describe('codes as in docs/findings.md, and: usage, failed, bug'),
})

export type FailureDocument = Document<typeof failureSchema>

/** The lists of the documents that scripts walk through: a command that failed has them, empty. */
const emptyLists: Readonly<Record<string, Readonly<Record<string, readonly never[]>>>> = {
  inspect: { devices: [], groups: [] },
  plan: { assignments: [], takenAlong: [], spare: [], steps: [] },
}

/** `command`: the first word of the command line. */
export function listsOf(command: string | undefined): Readonly<Record<string, readonly never[]>> {
  return emptyLists[command ?? ''] ?? {}
}

/** A command that ended at findings, before it did anything. */
export function findingsDocument(found: readonly Finding[]): FailureDocument {
  return { schema: 1, findings: found }
}

export function failureDocument(error: unknown): FailureDocument {
  return { schema: 1, findings: [{ severity: 'error', ...wordsOf(error) }] }
}

/** For a command line that cannot be understood. */
export function usageDocument(message: string): FailureDocument {
  return { schema: 1, findings: [{ code: 'usage', severity: 'error', message }] }
}

function wordsOf(error: unknown): { code: string; message: string; help?: string } {
  if (!(error instanceof AppError))
    return { code: 'bug', message: error instanceof Error ? error.message : String(error) }
  const { message, help } = error
  const code = error.exitCode === exitCode.usage ? 'usage' : 'failed'
  return help === undefined ? { code, message } : { code, message, help }
}
