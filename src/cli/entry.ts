/** The program's start: runs main on the process's arguments and exits with its code. */
import { main } from './main.ts'
import { runProcess, type HowToEnd } from './run-process.ts'

export function start(argv: readonly string[], how: HowToEnd = {}): Promise<void> {
  return runProcess(() => main(argv), how)
}
