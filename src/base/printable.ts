/**
 * Keeps text from elsewhere (a journal, a device, a guest) from controlling the terminal. Everything that is
 * printed passes `printable`, which shows control characters, and characters that change the direction of
 * text, in the form `\u001b`. `clean` replaces them with spaces, for names in tables. JSON escapes them
 * inside its strings itself.
 */
import { hex } from '../pci/hex.ts'

/** The newline is not in this list: `printable` keeps it. */
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const anyUnprintable = new RegExp(unprintable.source)
const isAscii = /^[ -~]*$/

/** Marks our own colours until they are printed. It is random, so text from elsewhere cannot contain it. */
const seal = `\ufdd0${Math.random().toString(36).slice(2)}\ufdd1`
const sealed = new RegExp(`${seal}\\d+m`, 'g')

/** `code` is a parameter of SGR in ECMA-48, such as 31 for red. */
export function sealedColour(code: number): string {
  return `${seal}${code}m`
}

export function withoutColours(text: string): string {
  return text.includes(seal) ? text.replaceAll(sealed, '') : text
}

export function printable(text: string): string {
  const safe = anyUnprintable.test(text) ? text.replaceAll(unprintable, shown) : text
  return safe.includes(seal) ? safe.replaceAll(seal, '\u001b[') : safe
}

/** For one line. The result is as long as the text, so columns stay aligned. */
export function clean(text: string): string {
  // Nearly all names are plain, and this test is cheaper than a replacement.
  return isAscii.test(text) ? text : text.replaceAll(unprintable, ' ').replaceAll('\n', ' ')
}

function shown(character: string): string {
  if (character === '\t') return '    '
  return `\\u${hex(character.charCodeAt(0), 4)}`
}
