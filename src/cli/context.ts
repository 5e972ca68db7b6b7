/**
 * What a command gets besides its arguments: the machine, the streams, and how to speak on them.
 * Results go to `out` (standard output), progress and findings to `err` (standard error).
 */
import { UsageError } from '../base/errors.ts'
import { linuxSystem } from '../machine/linux.ts'
import { mayBeTerminal } from '../machine/descriptor.ts'
import type { System } from '../machine/system.ts'
import { styler, type Styler } from '../show/text/style.ts'
import { inAscii, isAsciiLocale } from './ascii.ts'
import { printErr, printFile, printOut, standardError, standardOutput } from './standard-streams.ts'

export type Context = {
  readonly system: System
  /** The end of the line is added where the text lacks it. */
  readonly out: (text: string) => void
  /** A whole file for standard output, which is no text for a person. */
  readonly file: (text: string) => void
  readonly err: (text: string) => void
  readonly isTerminal: boolean
  /** Width to draw for; 80 where the stream is no terminal. */
  readonly columns: number
  /** Colours for standard output; plain text when it is no terminal or NO_COLOR is set. */
  readonly style: Styler
  readonly errStyle: Styler
}

/** Options every reading command has. */
export type ReadingOptions = {
  readonly json?: boolean
  readonly from?: string
  readonly root?: string
  readonly color?: boolean
}

let isPrinted = false

/** Whether the one JSON document of this process is printed already. */
export function isDocumentPrinted(): boolean {
  return isPrinted
}

/** The one JSON document of a command. */
export function printDocument(context: Pick<Context, 'out'>, document: { readonly schema: 1 }): void {
  isPrinted = true
  context.out(JSON.stringify(document, null, 2))
}

/** Streams are asked for only when something goes to them: making them costs a start some milliseconds. */
export function createContext(options: ReadingOptions): Context {
  const isTerminal = (fd: 1 | 2) => mayBeTerminal(fd) && (fd === 1 ? standardOutput() : standardError()).isTTY
  const styleFor = (fd: 1 | 2) =>
    styler(
      options.color !== false &&
        !process.env['NO_COLOR'] &&
        process.env['TERM'] !== 'dumb' &&
        (Boolean(process.env['FORCE_COLOR']) || isTerminal(fd)),
    )
  return {
    system: linuxSystem(options.root === undefined ? {} : { root: folderOf(options.root) }),
    out: options.json !== true && isAsciiLocale(process.env) ? (text) => printOut(inAscii(text)) : printOut,
    file: printFile,
    err: isAsciiLocale(process.env) ? (text) => printErr(inAscii(text)) : printErr,
    get isTerminal() {
      return isTerminal(1)
    },
    get columns() {
      return isTerminal(1) ? Math.min(standardOutput().columns || 80, 160) : 80
    },
    get style() {
      return styleFor(1)
    },
    get errStyle() {
      return styleFor(2)
    },
  }
}

/**
 * A misspelled folder would look like a host without devices, and a command that changes something would make
 * it.
 */
function folderOf(root: string): string {
  const here = linuxSystem()
  const real = here.realPath(root)
  const stat = real.ok ? here.stat(real.value) : real
  if (stat.ok && stat.value.kind === 'directory') return root
  throw new UsageError(
    `--root ${root} is not a folder`,
    'name the folder that holds sys/, proc/ and etc/ of the host',
  )
}
