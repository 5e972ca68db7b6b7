/**
 * Long lists of words as one pattern: a word counts only as a whole, in either case. Words of a line are
 * parted by blanks.
 */
export function wholeWords(...lines: readonly string[]): RegExp {
  return new RegExp(`^(?:${lines.flatMap((line) => line.split(' ')).join('|')})$`, 'i')
}
