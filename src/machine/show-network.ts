/**
 * Asks `ip` (iproute2) what the running kernel holds about interfaces, addresses, routes and rules. Looking
 * only, and a matter of milliseconds, so reads stay synchronous.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { searchPath } from './search-path.ts'
import type { NetworkQuestion, ReadResult } from './system.ts'

/**
 * A thousand interfaces with their details print about 2 MiB; a router with a full table of the Internet far
 * more.
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
    // An `ip` of busybox knows no JSON; with nothing to show, old ones print nothing at all.
    if (done.status === 0 && /^\s*(?:\[|$)/.test(done.stdout))
      return { ok: true, value: done.stdout.trim() || '[]' }
    const { error } = done
    const code =
      error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : 'ENOSYS'
    failed = { ok: false, reason: code === 'ENOBUFS' ? 'too-large' : 'unreadable', code }
  }
  return failed
}

/** Absolute paths only: a relative part of PATH means the folder one happens to be in. */
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
