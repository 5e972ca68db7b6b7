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

/** Writes a text, whole or in pieces, and the end of its line. */
export function printOut(text: string | Iterable<string>): void {
  let isAtLineStart = false
  for (const piece of typeof text === 'string' ? [text] : text) {
    writeOut(encoded(piece))
    if (piece !== '') isAtLineStart = piece.endsWith('\n')
  }
  if (!isAtLineStart) writeOut(Buffer.from('\n'))
}

/** Pieces are encoded in one place, as long as nothing holds on to them: new memory for each costs more than the encoding. */
let room: Buffer | undefined

function encoded(piece: string): Uint8Array {
  // UTF-8 needs three bytes for a unit of UTF-16 at most.
  if (stream !== undefined || piece.length > mostUnits) return Buffer.from(piece)
  room ??= Buffer.allocUnsafeSlow(3 * mostUnits)
  return room.subarray(0, room.write(piece))
}

const mostUnits = 32_768

function writeOut(bytes: Uint8Array): void {
  // Nothing may overtake what a stream still holds.
  const written = stream === undefined ? writeAtOnce(1, bytes) : 0
  // A copy: the stream may write it long after the next piece is encoded.
  if (written < bytes.length) standardOutput().write(Buffer.from(bytes.subarray(written)))
}
