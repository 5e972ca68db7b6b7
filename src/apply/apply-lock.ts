/** Lets one apply or rollback run at a time, and explains why the machine refuses one before it begins. */
import { AppError, exitCode } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { stateFolder } from '../base/own-folders.ts'
import { journalFolder, lockPath } from './journal.ts'

/** Throws when another apply or rollback is running. */
export function takeApplyLock(system: System, what: string): () => void {
  const lock = tryLock(system, what)
  if (lock.ok) return lock.release
  const { pid, since, what: other } = lock.holder
  throw new AppError(`another ${other} is running (process ${pid}, since ${since}); nothing was changed`, {
    help: `wait for it; if that process hangs: kill ${pid}, then handover rollback`,
    exitCode: exitCode.applyFailedRestored,
  })
}

function tryLock(system: System, what: string): ReturnType<System['lock']> {
  try {
    system.makeFolder(journalFolder, 0o700)
    return system.lock(lockPath, what)
  } catch (error) {
    throw untouched(error)
  }
}

/** Turns a refusal of the machine before the first change (no permission, a full disk) into an AppError. */
export function untouched(error: unknown): unknown {
  const { code, path = stateFolder } = error as { code?: unknown; path?: string }
  if (error instanceof AppError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error
  const isDenied = code === 'EACCES' || code === 'EPERM'
  const help = isDenied
    ? 'run it as root'
    : `check that ${stateFolder} can be written and has free space: df ${stateFolder}`
  return new AppError(`${path} cannot be written (${code}); nothing was changed`, {
    help,
    cause: error,
    exitCode: exitCode.applyFailedRestored,
  })
}
