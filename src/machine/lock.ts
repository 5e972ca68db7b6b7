/**
 * A lock file that names its holder by process id, process start time and boot id. It needs neither flock(1),
 * which some busybox systems lack, nor native code. It is written under another name and then linked, so a
 * reader never sees half of it. A lock whose holder died, or that is from an earlier boot, is taken over
 * (docs/decisions/0005-lock-file.md).
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type LockHolder = { readonly pid: number; readonly since: string; readonly what: string }
export type LockResult =
  { readonly ok: true; readonly release: () => void } | { readonly ok: false; readonly holder: LockHolder }

type Record = LockHolder & { readonly start: string; readonly boot: string }

/** A process that does not get the lock sees `what`: `apply`, `rollback`. */
export function takeLock(path: string, what: string): LockResult {
  const mine: Record = {
    pid: process.pid,
    since: new Date().toISOString(),
    what,
    start: processStart(process.pid) ?? '',
    boot: bootId(),
  }
  const text = JSON.stringify(mine)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (create(path, text)) return { ok: true, release: () => release(path, text) }
    const found = readRecord(path)
    if (found === undefined) continue
    if (found.record && isAlive(found.record)) return { ok: false, holder: found.record }
    setAside(path, found.text)
  }
  return { ok: false, holder: { pid: 0, since: 'just now', what: 'another process' } }
}

function create(path: string, text: string): boolean {
  const aside = `${path}.${process.pid}`
  writeFileSync(aside, text, { mode: 0o600 })
  try {
    linkSync(aside, path)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return false
    // The file system has no hard links. Exclusive creation is as safe, but a reader may see half of the
    // file.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return createExclusive(path, text)
    throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function createExclusive(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Moves the file of a dead holder away. The moved text is compared, since another process may have been
 * faster.
 */
function setAside(path: string, judged: string): void {
  const aside = `${path}.stale-${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== judged) {
    try {
      linkSync(aside, path)
    } catch {
      // Another process has taken the lock meanwhile; the one whose file was moved sees that when it
      // releases.
    }
  }
  rmSync(aside, { force: true })
}

function release(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) rmSync(path, { force: true })
  } catch {
    // Someone removed the lock by hand: there is nothing to release.
  }
}

function readRecord(path: string): { text: string; record: Record | undefined } | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const value = JSON.parse(text) as Partial<Record>
    if (typeof value.pid !== 'number' || typeof value.start !== 'string' || typeof value.boot !== 'string')
      return { text, record: undefined }
    return { text, record: { since: '', what: 'handover', ...value } as Record }
  } catch {
    // A power cut damaged the file, so its holder is not running.
    return { text, record: undefined }
  }
}

function isAlive(holder: Record): boolean {
  if (holder.boot !== bootId()) return false
  return processStart(holder.pid) === holder.start && isRunning(holder.pid)
}

/**
 * A process that ended, but whose parent has not waited for it, keeps its entry and its start time, in state
 * Z or X (proc_pid_stat(5)). All threads are checked, since the first one may end before the others.
 */
function isRunning(pid: number): boolean {
  return threadsOf(pid).some((stat) => !/^[ZXx]$/.test(statFields(stat)[0] ?? ''))
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => statOf(`${pid}/task/${thread}`) ?? '')
  } catch {
    // The process has ended meanwhile.
    return []
  }
}

/** Field 22 of /proc/PID/stat: clock ticks since boot. Together with the pid it identifies one process. */
function processStart(pid: number): string | undefined {
  const stat = statOf(String(pid))
  return stat === undefined ? undefined : statFields(stat)[19]
}

function statOf(process: string): string | undefined {
  try {
    return readFileSync(`/proc/${process}/stat`, 'utf8')
  } catch {
    return undefined
  }
}

/** The fields from field 3 (the state) on. The name in field 2 may contain spaces and parentheses. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Without /proc, only pid and start time are compared.
    return ''
  }
}
