/** The program's start: runs main on the process's arguments and exits with its code. */
import { exitCode } from '../errors.ts'
import { main } from './main.ts'
import { isAllWritten, whenReaderLeaves } from './standard-output.ts'

/**
 * `how.endsAtOnce`: when nothing is left but to take down what the process holds, it is spared that. Not after an error, of
 * which a part may still have to be written.
 */
export async function start(argv: readonly string[], how: { readonly endsAtOnce?: boolean } = {}): Promise<void> {
  whenReaderLeaves(() => process.exit(0))
  process.exitCode = await main(argv)
  if (how.endsAtOnce && process.exitCode === exitCode.done && isAllWritten()) process.exit()
}
