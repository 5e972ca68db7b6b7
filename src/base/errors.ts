/**
 * The exceptions of this program: what stops us, as opposed to findings (finding.ts), which are data about
 * the user's world. Anything thrown that is not an AppError is a bug, and `cli/main` says so.
 */
import { defined } from './defined.ts'

/** The exit codes outsiders rely on; the only place they are written down in code. */
export const exitCode = {
  done: 0,
  errorFindings: 1,
  usage: 2,
  applyFailedRestored: 3,
  applyFailedNotRestored: 4,
  bug: 70,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** A stop with a reason for the user: `message` names the thing and what is wrong, `help` what to do now. */
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

/** A program ended otherwise than hoped; `stderrTail` holds its last words (at most some 2 KiB). */
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

/** What an exception says, whoever threw it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
