/**
 * Entries for the system's journal, by logger(1) of util-linux: journald listens on a datagram socket, and
 * Node has none of that kind. What cannot be written there is lost without a word; our own journal is the one
 * that counts.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { searchPath } from './search-path.ts'
import type { LogEntry } from './system.ts'

/** sd_journal_send(3) always writes to this one. */
const socket = '/run/systemd/journal/socket'

export function systemJournal(): (entry: LogEntry) => void {
  let isRefused = false
  return (entry) => {
    if (isRefused || !existsSync(socket)) return
    const { status } = spawnSync('logger', ['--journald'], {
      input: entryLines(entry),
      timeout: 2000,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: searchPath(), LC_ALL: 'C.UTF-8' },
    })
    // No such logger, an old one, a journal that does not answer: a transaction does not wait for it again.
    isRefused = status !== 0
  }
}

/** A field for each line (logger(1)); a line break inside a value would begin another field. */
function entryLines({ message, severity, fields }: LogEntry): string {
  const all = {
    MESSAGE: message,
    // sd-daemon(3): 3 is an error, 5 a normal but significant condition.
    PRIORITY: severity === 'error' ? '3' : '5',
    SYSLOG_IDENTIFIER: 'handover',
    ...fields,
  }
  const lines = Object.entries(all).map(
    ([name, value]) => `${name}=${value.replaceAll(/[\0-\x1f\x7f]+/g, ' ')}\n`,
  )
  return lines.join('')
}
