/** Commands as a person can paste them into a shell. */

/** In single quotes, whatever it holds. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function quoteWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : quote(word)
}

export function formatCommand(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ')
}
