/** The program's start: runs main on the process's arguments and exits with its code. */
import { main } from './main.ts'

export async function start(argv: readonly string[]): Promise<void> {
  // A closed pipe (`handover inspect | head`) is the reader's choice, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  process.exitCode = await main(argv)
}
