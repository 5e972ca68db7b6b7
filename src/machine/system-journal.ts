/**
 * Writes entries to the system's journal by logger(1) of util-linux, since journald has a datagram socket and
 * Node does not support those. An entry that cannot be written is dropped: our own journal is the one that
 * matters.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { searchPath } from './search-path.ts'
import type { LogEntry } from './system.ts'

/** The socket to which sd_journal_send(3) writes. */
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
    // logger is missing or too old, or the journal does not answer. A transaction does not wait for it again.
    isRefused = status !== 0
  }
}

/**
 * Each line is a field (logger(1)). Line breaks in values are replaced, since they would begin another field.
 */
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
