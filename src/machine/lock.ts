/**
 * One holder at a time, without flock(1) (busybox systems have none) and without native code: a lock file
 * that names its holder by process id, process start time and boot id. It appears complete (written aside,
 * then linked), so a reader never sees half of it; a holder that died or a machine that rebooted leaves a
 * file nobody has to remove. docs/decisions/0005-lock-file.md says why.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type LockHolder = { readonly pid: number; readonly since: string; readonly what: string }
export type LockResult =
  { readonly ok: true; readonly release: () => void } | { readonly ok: false; readonly holder: LockHolder }

type Record = LockHolder & { readonly start: string; readonly boot: string }

/** `what` is shown to the one who is refused: `apply`, `rollback`. */
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
    // File systems without hard links: exclusive creation is as safe, only not complete at once.
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
 * Moves a dead holder's file away; what was moved is compared, since a third process may have been faster.
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
      // A fourth process holds the lock now; the third will see on release that it lost it.
    }
  }
  rmSync(aside, { force: true })
}

function release(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) rmSync(path, { force: true })
  } catch {
    // Somebody removed the lock by hand: nothing is left to release.
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
    // Torn by a power cut: such a holder is not alive.
    return { text, record: undefined }
  }
}

function isAlive(holder: Record): boolean {
  if (holder.boot !== bootId()) return false
  return processStart(holder.pid) === holder.start && isRunning(holder.pid)
}

/**
 * A process that ended and that its parent has not waited for keeps its entry and its start time, in state Z
 * or X (proc_pid_stat(5)). It does nothing any more, once that is so of every thread: the first may end
 * before the others.
 */
function isRunning(pid: number): boolean {
  return threadsOf(pid).some((stat) => !/^[ZXx]$/.test(statFields(stat)[0] ?? ''))
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => statOf(`${pid}/task/${thread}`) ?? '')
  } catch {
    // It has ended for good since.
    return []
  }
}

/**
 * Field 22 of /proc/PID/stat: clock ticks since boot. With the pid it names one process, whatever the wall
 * clock does.
 */
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

/**
 * From field 3, the state, on. The program's name before it, in parentheses, may hold spaces and parentheses
 * itself.
 */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Without /proc there is nothing to tell boots apart by; pid and start time decide alone.
    return ''
  }
}
