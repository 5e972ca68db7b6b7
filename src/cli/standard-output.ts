/** Standard output, made a stream only when it must be one: loading what streams need costs a start some milliseconds. */
import { writeAtOnce } from '../system/write-at-once.ts'

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

/** Writes a text and the end of its line. */
export function printOut(text: string): void {
  // The end of the line by itself: joined to megabytes of JSON it would copy them.
  for (const part of text.endsWith('\n') ? [text] : [text, '\n']) writeOut(Buffer.from(part))
}

function writeOut(bytes: Uint8Array): void {
  // Nothing may overtake what a stream still holds.
  const written = stream === undefined ? writeAtOnce(1, bytes) : 0
  if (written < bytes.length) standardOutput().write(bytes.subarray(written))
}
