import { formatSize } from '../../../src/base/size.ts'
import { describe, expect, it } from 'vitest'
import * as fc from '../../support/random.ts'
import { parseDuration, parseSize } from '../../../src/spec/units.ts'

describe('sizes', () => {
  it.each([
    ['192 MiB', 192],
    ['16 GiB', 16_384],
    ['16GiB', 16_384],
    ['16G', 16_384],
    ['16 GB', 16_384],
    ['1.5 GiB', 1536],
    ['2 TiB', 2 * 1024 * 1024],
    ['512M', 512],
  ])('%s is %i MiB', (text, mib) => expect(parseSize(text)).toBe(mib))

  it.each(['16', '0 MiB', '-1 GiB', '0.3 GiB', '1 KiB', 'GiB', '', '1e3 MiB', '999999 TiB'])(
    '%j is no size',
    (text) => expect(parseSize(text)).toBeUndefined(),
  )

  it('are read back as written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 24 }), (mib) => {
        expect(parseSize(formatSize(mib))).toBe(mib)
      }),
    )
  })
})

describe('times', () => {
  it.each([
    ['60 s', 60],
    ['60s', 60],
    ['2 min', 120],
    ['1 h', 3600],
    ['3 minutes', 180],
  ])('%s is %i seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds))
  it.each(['60', '0 s', '25 h', '1 day', ''])('%j is no time', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  )
})
