import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { jsonPieces } from '../../../src/cli/render/json-pieces.ts'

describe('JSON in pieces', () => {
  it('is what JSON.stringify writes, whatever is in it', () => {
    const long = fc.array(fc.jsonValue(), { minLength: 10, maxLength: 60 })
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), long, fc.constant(undefined))), (document) => {
        expect([...jsonPieces(document)].join('')).toBe(JSON.stringify(document, null, 2))
      }),
    )
  })

  it.each([0, 1, 16, 17, 32, 33, 1000])('has an array of %i elements in it', (length) => {
    const document = { schema: 1, devices: Array.from({ length }, (_, n) => ({ n, s: '[\n  ]' })), groups: [] }
    const pieces = [...jsonPieces(document)]
    expect(pieces.join('')).toBe(JSON.stringify(document, null, 2))
    if (length === 1000) expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(2000)
  })
})
