/**
 * What text from elsewhere (a journal, a device, a guest) may do to a terminal: nothing. Control characters,
 * and those that turn the direction of text, are shown as `\u001b` by the outlet that everything printed
 * passes, and become spaces in names that are laid out. JSON may hold control characters only inside its
 * texts, where they are written so anyway.
 */
import { hex } from '../pci/hex.ts'

/** All but the newline, which the outlet lets pass. */
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const anyUnprintable = new RegExp(unprintable.source)
const isAscii = /^[ -~]*$/

/** What our own colours begin with until they are written: nobody outside can know it. */
const seal = `\ufdd0${Math.random().toString(36).slice(2)}\ufdd1`
const sealed = new RegExp(`${seal}\\d+m`, 'g')

/** ECMA-48 SGR, such as 31 for red. */
export function sealedColour(code: number): string {
  return `${seal}${code}m`
}

export function withoutColours(text: string): string {
  return text.includes(seal) ? text.replaceAll(sealed, '') : text
}

/** The outlet. */
export function printable(text: string): string {
  const safe = anyUnprintable.test(text) ? text.replaceAll(unprintable, shown) : text
  return safe.includes(seal) ? safe.replaceAll(seal, '\u001b[') : safe
}

/** For one line: its length stays. */
export function clean(text: string): string {
  // Nearly all names are plain: a test costs less than a replacement that finds nothing.
  return isAscii.test(text) ? text : text.replaceAll(unprintable, ' ').replaceAll('\n', ' ')
}

function shown(character: string): string {
  if (character === '\t') return '    '
  return `\\u${hex(character.charCodeAt(0), 4)}`
}
