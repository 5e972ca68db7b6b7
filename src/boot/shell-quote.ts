/** Commands as a person can paste them into a shell. */

function quoteWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

export function formatCommand(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ')
}
