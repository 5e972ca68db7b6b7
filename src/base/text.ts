/**
 * Lays out text: lists, counts, cut and wrapped lines. Callers clean text from elsewhere first
 * (printable.ts).
 */
import { withoutColours } from './printable.ts'

/** `a`, `a and b`, `a, b and c`. */
export function listAll(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}

/** The first of many: `a, b, c and 4 more`. */
export function listText(items: readonly string[], limit = 6): string {
  const rest = items.length - limit
  return rest > 0 ? `${items.slice(0, limit).join(', ')} and ${rest} more` : listAll(items)
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  return width < 2 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`
}

/**
 * Breaks a text at spaces so that no line is wider than `columns`, and indents all lines but the first. A
 * longer word gets a line for itself. Colours have no width.
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  let width = 0
  for (const word of text.split(/(?<=\S)(?= )/)) {
    const wordWidth = withoutColours(word).length
    if (width + wordWidth > columns && line.trim() !== '') {
      lines.push(line)
      line = `${' '.repeat(indent)}${word.trimStart()}`
      width = withoutColours(line).length
    } else {
      line += word
      width += wordWidth
    }
  }
  return [...lines, line]
}
