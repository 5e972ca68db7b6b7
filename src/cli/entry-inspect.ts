/** The start of `inspect` alone, without commander; the launcher turns to entry.ts for what is not plain. */
import { runInspect } from './commands/inspect.ts'
import { createContext } from './context.ts'
import { plainInspect } from './plain-inspect.ts'
import { report } from './report-error.ts'
import { runProcess, type HowToEnd } from './run-process.ts'

/** Whether `start` is the one to be called with these arguments. */
export function takes(argv: readonly string[]): boolean {
  return plainInspect(argv) !== undefined
}

/** Only with arguments that it takes. */
export function start(argv: readonly string[], how: HowToEnd = {}): Promise<void> {
  return runProcess(async () => {
    try {
      const asked = plainInspect(argv)
      if (asked === undefined) throw new TypeError(`not plain: ${argv.join(' ')}`)
      const { args, options } = asked
      return await runInspect(args, options, createContext(options))
    } catch (error) {
      return report(error)
    }
  }, how)
}
