/**
 * Reads files and folders that state needs of the host. An absent one states none. One that exists but cannot
 * be read may state any need, so it is remembered and becomes a lost need.
 */
import { namesIn, textOf, type Reading } from '../read/reading.ts'
import type { ReadFailure } from '../../machine/system.ts'

const failures = new WeakMap<Reading, Map<string, string>>()

/** Paths that could not be read, each with the reason as a clause. */
export function unreadSources(reading: Reading): ReadonlyMap<string, string> {
  return failures.get(reading) ?? new Map()
}

export function textOfSource(reading: Reading, path: string, limit?: number): string {
  const result = reading.system.readText(path, limit)
  if (result.ok) return result.value
  note(reading, path, result)
  return textOf(reading, path, limit) ?? ''
}

export function namesInSource(reading: Reading, path: string): readonly string[] {
  const result = reading.system.list(path)
  if (result.ok) return result.value
  note(reading, path, result)
  return namesIn(reading, path)
}

/** A source of which only the first entries are read: the rest may state any need. */
export function noteBeyond(reading: Reading, path: string, most: number): void {
  remember(reading, path, `only its first ${most} entries are read`)
}

function note(reading: Reading, path: string, { reason, code }: ReadFailure): void {
  if (reason === 'absent' && code !== 'ENOTDIR') return
  remember(
    reading,
    path,
    reason === 'too-large' ? 'it is too large to be read' : `it cannot be read (${code ?? reason})`,
  )
}

function remember(reading: Reading, path: string, why: string): void {
  const known = failures.get(reading) ?? new Map<string, string>()
  failures.set(reading, known)
  known.set(path, why)
}
