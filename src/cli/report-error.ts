/** What stopped a command, on standard error and in one shape. */
import { AppError, exitCode, type ExitCode } from '../errors.ts'
import { version } from './version.ts'

/** Returns the exit code that says it; anything that is not an AppError is a bug, and says so. */
export function report(error: unknown): ExitCode {
  if (error instanceof AppError) {
    process.stderr.write(`error: ${error.message}\n${error.help === undefined ? '' : `  help: ${error.help}\n`}`)
    return error.exitCode
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`This is a bug in handover ${version}; please report it with these lines:\n${stack}\n`)
  return exitCode.bug
}
