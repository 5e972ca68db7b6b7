/** A command on a given machine, as the command line runs it: its exit code and all it says. */
import { createContext, type Context } from '../../src/cli/context.ts'
import type { System } from '../../src/machine/system.ts'

export type Command<O> = (args: readonly string[], options: O, context: Context) => Promise<number>
export type Said = { readonly code: number; readonly out: string; readonly err: string }

export async function runCommand<O>(
  system: System,
  command: Command<O>,
  args: readonly string[],
  options: O,
): Promise<Said> {
  const said = { out: '', err: '' }
  const context: Context = {
    ...createContext({ color: false }),
    system,
    out: (text) => void (said.out += `${typeof text === 'string' ? text : Array.from(text).join('')}\n`),
    err: (text) => void (said.err += `${text}\n`),
  }
  const code = await command(args, options, context)
  return { code, ...said }
}
