/** SVG as text: escaping, numbers, elements, and how many characters fit. No layout and no colours. */
import { escapeXml } from '../../base/escape.ts'

export type Attributes = Readonly<Record<string, string | number | undefined>>

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escapeXml(String(value))}"`)
    .join('')
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/**
 * Guessed widths of a character in em (no font can be asked); generous, because a cut name is better than an
 * overflow.
 */
const widths = { plain: 0.56, bold: 0.63, mono: 0.62 } as const

/** Text that fits into `width` at `size` pixels. */
export function fit(
  content: string,
  width: number,
  size: number,
  face: keyof typeof widths = 'plain',
): string {
  const room = Math.max(1, Math.floor(width / (size * widths[face])))
  return content.length <= room ? content : `${content.slice(0, Math.max(1, room - 1))}…`
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeXml(content))
}
