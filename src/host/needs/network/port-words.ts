/** The ways in which configuration files name a port: by name, by a shell pattern, by MAC. */
export type Port = {
  readonly name: string
  readonly macs?: readonly string[]
  readonly driver?: string
  readonly isWireless?: boolean
}

/** `en*`, `eth[0-3]`, `enp?s0` (fnmatch). A pattern that is not understood matches everything. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === name
  if (pattern.length > 64 || (pattern.match(/\*/g) ?? []).length > 6) return true
  const source = pattern.replaceAll(/\[!?[\w-]+\]|./g, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    if (part.length > 1) return part.replace('[!', '[^')
    return part.replaceAll(/[^\w]/g, String.raw`\$&`)
  })
  try {
    return new RegExp(`^${source}$`).test(name)
  } catch {
    return true
  }
}

/** Words of a text without its comments, quotes and punctuation. */
export function wordsOf(text: string): string[] {
  return text.replaceAll(/(^|\s)[#;].*$/gm, '$1').split(/[^\w.:@*?[\]!-]+/)
}

/** `eth1`, `eth1.5` (a VLAN on it), `eth1:0` (an alias), `en*`, or its MAC. */
export function namesPort(words: readonly string[], port: Port): boolean {
  return words.some((word) => isNameOf(word, port))
}

function isNameOf(written: string, { name, macs }: Port): boolean {
  // `en*:` as a key of YAML.
  const word = written.replace(/:$/, '')
  if (word === name || macs?.includes(word.toLowerCase())) return true
  if (word.startsWith(`${name}.`) || word.startsWith(`${name}:`)) return true
  return /[*?]|\[[\w-]+\]/.test(word) && /\w/.test(word) && matchesPattern(word, name)
}
