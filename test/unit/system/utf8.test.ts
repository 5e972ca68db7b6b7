import { describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../../src/system/utf8.ts'

const texts = ['', 'flr bus\n', 'Größe', '漢字', '😀 x', '\ufeffmark', 'lone \ud800 half', '\0']

/** A Buffer as of a Node that has dropped its undocumented methods. */
const plain = (bytes: Buffer) =>
  ({
    write: (text: string, offset: number) => bytes.write(text, offset),
    toString: (encoding: BufferEncoding, start: number, end: number) => bytes.toString(encoding, start, end),
  }) as Buffer

describe('UTF-8', () => {
  it.each([
    ["by Node's own methods", (bytes: Buffer) => bytes],
    ['without them', plain],
  ])('is read and written as toString and write do, %s', (_, made) => {
    for (const text of texts) {
      const bytes = Buffer.alloc(64)
      const length = encodeUtf8(made(bytes), text, 3)
      expect(bytes.subarray(3, 3 + length)).toEqual(Buffer.from(text))
      const read = Buffer.concat([Buffer.from(text), Buffer.from([0xff])])
      expect(decodeUtf8(made(read), read.length - 1)).toBe(Buffer.from(text).toString())
      expect(decodeUtf8(made(read), read.length)).toBe(read.toString())
    }
    expect(encodeUtf8(made(Buffer.alloc(4)), 'abäö', 1)).toBe(2)
  })
})
