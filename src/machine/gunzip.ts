/** Unpacks gzip up to a limit, since a small file can unpack to any size. */
import { defined } from '../base/defined.ts'
import { gunzipSync } from 'node:zlib'
import type { ReadResult } from './system.ts'

/**
 * `too-large` above `limit` bytes, `unreadable` for a damaged stream. A cut stream gives the bytes it
 * contains.
 */
export function gunzip(bytes: Uint8Array, limit: number): ReadResult<Uint8Array> {
  try {
    return { ok: true, value: gunzipSync(bytes, { maxOutputLength: limit, finishFlush: 2 }) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ERR_BUFFER_TOO_LARGE') return { ok: false, reason: 'too-large' }
    return { ok: false, reason: 'unreadable', ...defined({ code }) }
  }
}
