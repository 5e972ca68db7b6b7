/**
 * Asks `ip` about one network interface. Synchronous, since `ip` changes nothing and answers in milliseconds.
 */
import { spawnSync } from 'node:child_process'
import { searchPath } from './search-path.ts'
import type { ReadResult } from './system.ts'

/** A port with 256 functions prints about 50 KiB. */
const limit = 4 * 1024 * 1024

export function showLink(name: string): ReadResult<string> {
  // A name that begins with a dash, or contains a slash, is not an interface.
  if (!/^[A-Za-z0-9][^\s/]{0,14}$/.test(name)) return { ok: false, reason: 'absent' }
  const done = spawnSync('ip', ['-json', 'link', 'show', 'dev', name], {
    encoding: 'utf8',
    timeout: 10_000,
    maxBuffer: limit,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: searchPath(), LC_ALL: 'C.UTF-8' },
  })
  if (done.status === 0) return { ok: true, value: done.stdout }
  // ENOENT: `ip` is not installed; ETIMEDOUT: it hangs; no error: it does not know the interface.
  const { error } = done
  const code =
    error !== undefined && 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { ok: false, reason: 'unreadable', ...code }
}
