/** Quotes commands so that they can be pasted into a shell. */

/** Always uses single quotes. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function quoteWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : quote(word)
}

export function formatCommand(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ')
}
