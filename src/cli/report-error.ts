/** What stopped a command, on standard error and in one shape. */
import { AppError, exitCode, type ExitCode } from '../base/errors.ts'
import { printErr } from './standard-streams.ts'
import { version } from './version.ts'

/** Returns the exit code that says it; anything that is not an AppError is a bug, and says so. */
export function report(error: unknown): ExitCode {
  if (error instanceof AppError) {
    printErr(`error: ${error.message}${error.help === undefined ? '' : `\n  help: ${error.help}`}`)
    return error.exitCode
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  printErr(`This is a bug in handover ${version}; please report it with these lines:\n${stack}`)
  return exitCode.bug
}
