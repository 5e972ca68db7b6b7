import { describe, expect, it } from 'vitest'
import { escapeOption, escapeXml } from '../../../src/base/escape.ts'
import { clean, printable, sealedColour, withoutColours } from '../../../src/base/printable.ts'
import { bytesText } from '../../../src/base/size.ts'
import { countText, cut, listAll, listText, wrap } from '../../../src/base/text.ts'

describe('lists', () => {
  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and c'],
  ])('of all: %j is %j', (items, expected) => {
    expect(listAll(items)).toBe(expected)
    expect(listText(items)).toBe(expected)
  })

  it('of many name the first', () => {
    expect(listText(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more')
    expect(listText(['a', 'b'], 2)).toBe('a and b')
  })

  it('count one and many', () => {
    expect([countText(1, 'port'), countText(2, 'port'), countText(0, 'entry', 'entries')]).toEqual([
      '1 port',
      '2 ports',
      '0 entries',
    ])
  })
})

describe('lines', () => {
  it('break at spaces, and a longer word stands alone', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('a unbreakable b', 4)).toEqual(['a', 'unbreakable', 'b'])
    expect(wrap('', 4)).toEqual([''])
  })

  it('are indented from the second on, and keep the indent of the first', () => {
    expect(wrap('  one two three', 7, 4)).toEqual(['  one', '    two', '    three'])
  })

  it('do not count colours', () => {
    const red = `${sealedColour(31)}one two${sealedColour(39)}`
    expect(wrap(red, 7)).toEqual([red])
    expect(withoutColours(red)).toBe('one two')
    expect(printable(red)).toBe('\u001b[31mone two\u001b[39m')
  })

  it('are cut with an ellipsis', () => {
    expect([cut('abcd', 4), cut('abcde', 4), cut('ab', 1), cut('ab', -1)]).toEqual(['abcd', 'abc…', 'a', ''])
  })
})

describe('text from elsewhere', () => {
  it('moves no cursor and keeps its length', () => {
    expect(clean('a\u001b[2Jb\nc\u202ed')).toBe('a [2Jb c d')
    expect(printable('a\u001b[2Jb\nc')).toBe('a\\u001b[2Jb\nc')
  })

  it('is text in XML and in options of QEMU', () => {
    expect(escapeXml('<a b="c">&\u0000\ud800')).toBe('&lt;a b=&quot;c&quot;&gt;&amp; \ufffd')
    expect(escapeOption('a,b,,c')).toBe('a,,b,,,,c')
  })
})

describe('measured sizes', () => {
  it.each([
    [512, '512 B'],
    [4096, '4 KiB'],
    [48 * 1024 * 1024, '48 MiB'],
    [2_000_398_934_016, '1.8 TiB'],
  ])('%i bytes are %s', (bytes, expected) => expect(bytesText(bytes)).toBe(expected))
})
