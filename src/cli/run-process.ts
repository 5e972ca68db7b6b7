/** From a command to the end of the process: its exit code, and how the process ends. */
import { exitCode, type ExitCode } from '../base/errors.ts'
import { isAllWritten, whenReaderLeaves } from './standard-streams.ts'

/**
 * `endsAtOnce`: when nothing is left but to take down what the process holds, it is spared that. Not after an
 * error, of which a part may still have to be written.
 */
export type HowToEnd = { readonly endsAtOnce?: boolean }

export async function runProcess(run: () => Promise<ExitCode>, how: HowToEnd): Promise<void> {
  whenReaderLeaves(() => process.exit(0))
  process.exitCode = await run()
  if (how.endsAtOnce && process.exitCode === exitCode.done && isAllWritten()) process.exit()
}
