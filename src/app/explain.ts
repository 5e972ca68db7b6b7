/** explain: the known failures in a log, from a file or standard input. */
import { UsageError } from '../base/errors.ts'
import { bytesText } from '../base/size.ts'
import { explain, type Explanation } from '../explain/explain.ts'
import { gunzip } from '../machine/gunzip.ts'
import { readInputFile, readStandardInput } from '../machine/read-input.ts'
import type { ReadFailure } from '../machine/system.ts'
import { textCap } from '../sources/listings/read-from.ts'
import { decodeText, eachLine, isBinary } from '../sources/listings/text.ts'

export type Explained = {
  /** The file as the caller named it, or `standard input`. */
  readonly name: string
  readonly lines: number
  readonly explanations: readonly Explanation[]
}

/** `from`: a file, as text or packed with gzip as logs are, or `-` for standard input. */
export async function explainLog(from: string): Promise<Explained> {
  const name = from === '-' ? 'standard input' : from
  const text = decodeText(unpacked(name, await readBytes(name, from)))
  let lines = 0
  for (const _ of eachLine(text, 0)) lines += 1
  return { name, lines, explanations: explain(text) }
}

async function readBytes(name: string, from: string): Promise<Uint8Array> {
  const limit = () => textCap
  const read = from === '-' ? await readStandardInput(limit) : readInputFile(from, limit)
  if (!read.ok) throw unreadable(name, read)
  return read.value
}

function unpacked(name: string, bytes: Uint8Array): Uint8Array {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  const plain = isPacked ? gunzip(bytes, textCap) : { ok: true as const, value: bytes }
  if (!plain.ok) throw unreadable(name, plain)
  if (isBinary(plain.value))
    throw new UsageError(
      `${name} is not text`,
      'give the lines that a program printed; of the journal: journalctl -b | handover explain',
    )
  return plain.value
}

function unreadable(name: string, failure: ReadFailure): UsageError {
  switch (failure.reason) {
    case 'too-large':
      return new UsageError(
        `${name} has more than ${bytesText(textCap)} of text`,
        'give a part of it, such as the last start of the host: journalctl -k -b | handover explain',
      )
    case 'absent':
      return new UsageError(`${name} is not there`, 'give the file of a log, or - for standard input')
    case 'not-a-file':
      return new UsageError(`${name} is a folder`, 'give the file of a log, or - for standard input')
    case 'unreadable':
      return new UsageError(`${name} cannot be read (${failure.code ?? failure.reason})`, 'run it as root')
  }
}
