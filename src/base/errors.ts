/**
 * The exceptions of this program. An exception stops the program; a finding (finding.ts) is data about the
 * user's machine. `cli/main` reports every exception that is not an AppError as a bug.
 */
import { defined } from './defined.ts'

/** Scripts of users depend on these exit codes. */
export const exitCode = {
  done: 0,
  errorFindings: 1,
  usage: 2,
  applyFailedRestored: 3,
  applyFailedNotRestored: 4,
  /** `plan --check`: there would be changes. */
  changes: 10,
  bug: 70,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** `message` names the thing and what is wrong with it; `help` is what the user can do now. */
export class AppError extends Error {
  readonly help: string | undefined
  readonly exitCode: ExitCode
  constructor(message: string, options: { help?: string; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = new.target.name
    this.help = options.help
    this.exitCode = options.exitCode ?? exitCode.errorFindings
  }
}

/** The command line, or a file named on it, cannot be understood (exit code 2). */
export class UsageError extends AppError {
  constructor(message: string, help?: string) {
    super(message, { ...defined({ help }), exitCode: exitCode.usage })
  }
}

/** A program ended with an error; `stderrTail` holds the end of what it printed (about 2 KiB at most). */
export class CommandError extends AppError {
  readonly argv: readonly string[]
  readonly status: number | undefined
  readonly stderrTail: string
  constructor(argv: readonly string[], status: number | undefined, stderrTail: string, help?: string) {
    const said = stderrTail.trim().split('\n').at(-1) ?? ''
    super(
      `${argv[0] ?? '?'} ended with ` +
        `${status === undefined ? 'a signal' : `status ${status}`}${said ? `: ${said}` : ''}`,
      {
        ...defined({ help }),
      },
    )
    this.argv = argv
    this.status = status
    this.stderrTail = stderrTail
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
