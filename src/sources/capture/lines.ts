/** The lines of a text that are kept in a capture. */
export function linesWith(text: string, pattern: RegExp): string {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .join('\n')
}
