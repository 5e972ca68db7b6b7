/**
 * Standard output and standard error, each made a stream only when it must be one: loading what streams need
 * costs a start some milliseconds.
 */
import { printable } from '../base/printable.ts'
import { mayBeTerminal, writeAtOnce } from '../machine/descriptor.ts'

let stream: NodeJS.WriteStream | undefined
let leave: () => void = () => undefined

/** A closed pipe (`handover inspect | head`) is the reader's choice, not an error; `end` ends the program. */
export function whenReaderLeaves(end: () => void): void {
  leave = end
}

export function standardOutput(): NodeJS.WriteStream {
  stream ??= process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    leave()
  })
  return stream
}

let errorStream: NodeJS.WriteStream | undefined

/** Who reads it may leave (`2>&1 | head`): nothing ends for that. */
export function standardError(): NodeJS.WriteStream {
  errorStream ??= process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return errorStream
}

/** On standard error, with the end of its line. */
export function printErr(text: string): void {
  const shown = printable(text)
  const line = shown.endsWith('\n') ? shown : `${shown}\n`
  // Nothing may overtake what a stream still holds.
  if (errorStream !== undefined) return void errorStream.write(line)
  const bytes = Buffer.from(line)
  const written = writeAtOnce(2, bytes)
  if (written < bytes.length) standardError().write(bytes.subarray(written))
}

/** In place of the line that is being written on standard error, which must be a terminal. */
export function printInPlace(text: string): void {
  standardError().write(`\r\u001b[K${printable(text)}`)
}

/** A file that goes to standard output: byte for byte, except to a terminal. */
export function printFile(text: string): void {
  if (mayBeTerminal(1) && standardOutput().isTTY) return printOut(text)
  writeOut(Buffer.from(text))
}

/** False where a stream may still hold some of it. */
export function isAllWritten(): boolean {
  return stream === undefined && errorStream === undefined
}

/** Writes a text and the end of its line. */
export function printOut(text: string): void {
  const shown = printable(text)
  writeOut(Buffer.from(shown.endsWith('\n') ? shown : `${shown}\n`))
}

function writeOut(bytes: Uint8Array): void {
  // Nothing may overtake what a stream still holds.
  const written = stream === undefined ? writeAtOnce(1, bytes) : 0
  if (written < bytes.length) standardOutput().write(bytes.subarray(written))
}
