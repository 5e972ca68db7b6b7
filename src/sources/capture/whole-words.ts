/**
 * Makes one pattern of long lists of words. A word matches only as a whole, in either case. Blanks separate
 * the words of a line.
 */
export function wholeWords(...lines: readonly string[]): RegExp {
  return new RegExp(`^(?:${lines.flatMap((line) => line.split(' ')).join('|')})$`, 'i')
}
