/** Text for a terminal that shows ASCII only: our own signs are replaced, names of devices stay. */

/**
 * The locale of POSIX (locale(7)): the first of these variables that is set decides. Where none is set, the
 * terminal of today shows UTF-8.
 */
export function isAsciiLocale(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return locale === 'C' || locale === 'POSIX'
}

const signs: Readonly<Record<string, string>> = {
  ...{ '│': '|', '├': '|', '└': '`', '─': '-', '┌': '+', '┐': '+', '┘': '+', '┬': '+', '┴': '+', '┼': '+' },
  ...{ '✓': '+', '✗': 'x', '·': '-', '…': '...', '→': '->', '←': '<-', '×': 'x', '≥': '>=', '≤': '<=' },
  ...{ '–': '-', '—': '-', '•': '*', '“': '"', '”': '"', '‘': "'", '’': "'", '▲': '^', '▼': 'v', µ: 'u' },
}
const anySign = new RegExp(`[${Object.keys(signs).join('')}]`, 'g')

export function inAscii(text: string): string {
  return text.replaceAll(anySign, (sign) => signs[sign] ?? sign)
}
