/**
 * The outlet: whatever goes to a terminal passes here, so that no name, path or message from elsewhere (a journal, a device, a
 * guest) moves its cursor, clears it or colours it. Control characters but the newline, and those that turn the direction of
 * text, are shown as `\u001b`. JSON may hold them only inside its texts, where that is how they are written anyway.
 */

const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const anyUnprintable = new RegExp(unprintable.source)

/** What our own colours begin with until they are written: nobody outside can know it. */
const seal = `\ufdd0${Math.random().toString(36).slice(2)}\ufdd1`

/** ECMA-48 SGR, such as 31 for red. */
export function sealedColour(code: number): string {
  return `${seal}${code}m`
}

export function printable(text: string): string {
  const safe = anyUnprintable.test(text) ? text.replaceAll(unprintable, shown) : text
  return safe.includes(seal) ? safe.replaceAll(seal, '\u001b[') : safe
}

function shown(character: string): string {
  if (character === '\t') return '    '
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
