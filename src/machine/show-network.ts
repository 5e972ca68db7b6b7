/**
 * Asks `ip` (iproute2) for the interfaces, addresses, routes and rules of the running kernel. Synchronous,
 * since `ip` changes nothing and answers in milliseconds.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { searchPath } from './search-path.ts'
import type { NetworkQuestion, ReadResult } from './system.ts'

/**
 * A thousand interfaces with details need about 2 MiB; the routes of a router on the Internet need far more.
 */
const limit = 16 * 1024 * 1024

const argumentsOf: Readonly<Record<NetworkQuestion, readonly string[]>> = {
  address: ['-json', '-details', 'address', 'show'],
  route4: ['-json', '-4', 'route', 'show', 'table', 'all'],
  route6: ['-json', '-6', 'route', 'show', 'table', 'all'],
  rule4: ['-json', '-4', 'rule', 'show'],
  rule6: ['-json', '-6', 'rule', 'show'],
}

export function showNetwork(question: NetworkQuestion): ReadResult<string> {
  let failed: ReadResult<string> = { ok: false, reason: 'unreadable', code: 'ENOENT' }
  for (const program of programs()) {
    const done = spawnSync(program, argumentsOf[question], {
      encoding: 'utf8',
      timeout: 10_000,
      maxBuffer: limit,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { LC_ALL: 'C.UTF-8' },
    })
    // The `ip` of busybox has no JSON; old releases of iproute2 print nothing when there is nothing to show.
    if (done.status === 0 && /^\s*(?:\[|$)/.test(done.stdout))
      return { ok: true, value: done.stdout.trim() || '[]' }
    const { error } = done
    const code =
      error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : 'ENOSYS'
    failed = { ok: false, reason: code === 'ENOBUFS' ? 'too-large' : 'unreadable', code }
  }
  return failed
}

/** Only absolute folders, since a relative part of PATH depends on the current folder. */
function programs(): string[] {
  const folders = searchPath().split(':').filter(isAbsolute)
  return [...new Set([...folders, '/usr/bin', '/bin'])].map((folder) => join(folder, 'ip')).filter(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
