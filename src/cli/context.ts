/**
 * What a command gets besides its arguments: the machine, the streams, and how to speak on them.
 * Results go to `out` (standard output), progress and findings to `err` (standard error).
 */
import { linuxSystem } from '../system/linux.ts'
import type { System } from '../system/system.ts'
import { styler, type Styler } from './render/style.ts'

export type Context = {
  readonly system: System
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly isTerminal: boolean
  /** Width to draw for; 80 where the stream is no terminal. */
  readonly columns: number
  /** Colours for standard output; plain text when it is no terminal or NO_COLOR is set. */
  readonly style: Styler
  readonly errStyle: Styler
}

/** Options every reading command has (contract: `--json`, `--from`, `--root`, `--no-color`). */
export type ReadingOptions = {
  readonly json?: boolean
  readonly from?: string
  readonly root?: string
  readonly color?: boolean
}

export function createContext(options: ReadingOptions): Context {
  const colour = (stream: NodeJS.WriteStream) =>
    options.color !== false && !process.env['NO_COLOR'] && (stream.isTTY || Boolean(process.env['FORCE_COLOR']))
  return {
    system: linuxSystem(options.root === undefined ? {} : { root: options.root }),
    out: (text) => print(process.stdout, text),
    err: (text) => print(process.stderr, text),
    isTerminal: process.stdout.isTTY,
    columns: Math.min(process.stdout.columns || 80, 160),
    style: styler(colour(process.stdout)),
    errStyle: styler(colour(process.stderr)),
  }
}

/** The end of the line by itself: joined to megabytes of JSON it would copy them. */
function print(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text)
  if (!text.endsWith('\n')) stream.write('\n')
}
