/** The program's start: runs main on the process's arguments and exits with its code. */
import { main } from './main.ts'
import { whenReaderLeaves } from './standard-output.ts'

export async function start(argv: readonly string[]): Promise<void> {
  whenReaderLeaves(() => process.exit(0))
  process.exitCode = await main(argv)
}
