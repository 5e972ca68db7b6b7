/**
 * Reads a whole file or standard input, up to a limit that depends on its beginning: an archive may be larger
 * than a listing. Reading stops at the limit; a regular file that is too large is not read at all.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ReadFailure, ReadResult } from './system.ts'

/** The allowed bytes of an input that begins with `head`: its first 512 bytes or more, or all of it. */
export type InputLimit = (head: Uint8Array) => number

const headSize = 512

export async function readStandardInput(limitOf: InputLimit): Promise<ReadResult<Uint8Array>> {
  const chunks: Uint8Array[] = []
  let total = 0
  let limit: number | undefined
  try {
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      total += chunk.length
      if (limit === undefined && total >= headSize) limit = limitOf(Buffer.concat(chunks))
      if (limit !== undefined && total > limit) {
        process.stdin.destroy()
        return { ok: false, reason: 'too-large' }
      }
    }
  } catch (error) {
    return failureOf(error)
  }
  return { ok: true, value: Buffer.concat(chunks) }
}

export function readInputFile(path: string, limitOf: InputLimit): ReadResult<Uint8Array> {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    return failureOf(error)
  }
  try {
    const head = new Uint8Array(headSize)
    const got = readSync(fd, head, 0, headSize, null)
    const limit = limitOf(head.subarray(0, got))
    if (fstatSync(fd).size > limit) return { ok: false, reason: 'too-large' }
    return readRest(fd, head.subarray(0, got), limit)
  } catch (error) {
    return failureOf(error)
  } finally {
    closeSync(fd)
  }
}

/** Reads until the end, since pipes and kernel files have no size. */
function readRest(fd: number, head: Uint8Array, limit: number): ReadResult<Uint8Array> {
  const chunks = [head]
  let total = head.length
  for (;;) {
    const chunk = new Uint8Array(1024 * 1024)
    const read = readSync(fd, chunk, 0, chunk.length, null)
    if (read === 0) return { ok: true, value: Buffer.concat(chunks) }
    total += read
    if (total > limit) return { ok: false, reason: 'too-large' }
    chunks.push(chunk.subarray(0, read))
  }
}

function failureOf(error: unknown): ReadFailure {
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) throw error
  if (code === 'ENOENT' || code === 'ENOTDIR') return { ok: false, reason: 'absent', code }
  return { ok: false, reason: code === 'EISDIR' ? 'not-a-file' : 'unreadable', code }
}
