/**
 * Reading: the state that all readers share: the machine, and the list of files that could not be read.
 * Readers return `undefined` for an absent file and for an unreadable one. Unreadable files are noted, and
 * each kind of file becomes one finding.
 */
import type { Finding } from '../../base/finding.ts'
import type { Reader } from '../../machine/system.ts'

export type Reading = {
  readonly system: Reader
  /** Error name and kind of file (`EACCES /sys/…/config`) → the paths that failed. */
  readonly unreadable: Map<string, string[]>
  readonly findings: Finding[]
}

export function startReading(system: Reader): Reading {
  return { system, unreadable: new Map(), findings: [] }
}

/** The text of a small file without surrounding white space and NULs. */
export function textOf(reading: Reading, path: string, limit?: number): string | undefined {
  const result = reading.system.readText(path, limit)
  if (result.ok) return trim(result.value)
  noteUnreadable(reading, path, result)
  return undefined
}

export function bytesOf(reading: Reading, path: string, limit?: number): Uint8Array | undefined {
  const result = reading.system.readBytes(path, limit)
  if (result.ok) return result.value
  noteUnreadable(reading, path, result)
  return undefined
}

/** The beginning of a file. The bytes are valid only until the next call. */
export function headOf(reading: Reading, path: string, most: number): Uint8Array | undefined {
  const { system } = reading
  const result = system.readHead ? system.readHead(path, most) : system.readBytes(path, 65_536)
  if (result.ok) return result.value.subarray(0, most)
  noteUnreadable(reading, path, result)
  return undefined
}

/** Names in a folder. Empty for an absent folder, and for an unreadable one, which is noted. */
export function namesIn(reading: Reading, path: string): readonly string[] {
  const result = reading.system.list(path)
  if (result.ok) return result.value
  noteUnreadable(reading, path, result)
  return []
}

/** The target of a link as it is written, usually a relative path. */
export function linkOf(reading: Reading, path: string): string | undefined {
  const result = reading.system.readLink(path)
  return result.ok ? result.value : undefined
}

/** The last part of a link's target. In sysfs this is the name of a driver or a group. */
export function linkName(reading: Reading, path: string): string | undefined {
  const target = linkOf(reading, path)
  return target?.slice(target.lastIndexOf('/') + 1)
}

export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d{1,15}$/.test(text)) return undefined
  return Number.parseInt(text, 10)
}

function noteUnreadable(reading: Reading, path: string, failure: { reason: string; code?: string }): void {
  // EINVAL and EISDIR mean that an attribute has no value now (the carrier of an interface that is down).
  if (failure.reason === 'absent' || failure.reason === 'not-a-file') return
  const why = failure.reason === 'too-large' ? 'too large' : (failure.code ?? 'error')
  const key = `${why} ${kindOfPath(path)}`
  const paths = reading.unreadable.get(key)
  if (paths) paths.push(path)
  else reading.unreadable.set(key, [path])
}

/**
 * Replaces path parts with a digit, so that files of one kind are equal: `…/0000:01:00.0/config` →
 * `…/config`.
 */
function kindOfPath(path: string): string {
  return path
    .split('/')
    .map((part) => (/\d/.test(part) ? '*' : part))
    .join('/')
    .replace(/(\*\/)+/g, '*/')
}

/** One finding for each kind of unreadable file, with a count and an example. */
export function unreadableFindings(reading: Reading): Finding[] {
  const findings: Finding[] = []
  for (const [key, paths] of reading.unreadable) {
    const why = key.slice(0, key.indexOf(' /'))
    const first = paths[0] ?? ''
    const more = paths.length > 1 ? ` and ${paths.length - 1} more like it` : ''
    const denied = why === 'EACCES' || why === 'EPERM'
    findings.push({
      code: 'unreadable',
      severity: 'note',
      message: `${first}${more} cannot be read (${why}), so its content is not known`,
      help: denied
        ? 'run the same command as root to read it'
        : 'look at the kernel log for errors about this device',
    })
  }
  return findings
}

function trim(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) <= 0x20) end--
  let start = 0
  while (start < end && text.charCodeAt(start) <= 0x20) start++
  return start === 0 && end === text.length ? text : text.slice(start, end)
}
