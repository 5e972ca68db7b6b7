/** What every command on the command line shares: how its action is run, its options, its examples. */
import type { Command } from 'commander'
import { createContext, isDocumentPrinted, type ReadingOptions } from './context.ts'
import { endAtFindings, runToFindings, type Run } from './spec-errors.ts'

/** Wires an action: arguments and options in, exit code out. The module behind `load` is read only now. */
export function action<O extends ReadingOptions>(load: () => Promise<Run<O>>) {
  return async function act(this: Command): Promise<void> {
    const options = this.optsWithGlobals<O>()
    const run = await load()
    const context = createContext(options)
    process.exitCode = await runToFindings(() => run(this.args, options, context), context, options)
    // A question was answered with no: nothing was done, and nothing is wrong.
    if (options.json === true && !isDocumentPrinted()) await endAtFindings([], context, options)
  }
}

export function reading(command: Command): Command {
  return command
    .option('--json', 'one JSON document on standard output')
    .option(
      '--from <file>',
      'a capture, folder, archive or pasted listing instead of this machine (- is standard input)',
    )
    .option('--root <dir>', 'a file tree shaped like / in place of this machine')
    .option('--no-color', 'plain text')
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ handover ${line}`).join('\n')}\n`
}
