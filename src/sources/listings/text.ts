/**
 * Decodes and cleans pasted text line by line: it handles encodings, HTML, terminal colours, CRLF and comment
 * marks. The reader of each form decides what a line means.
 */
import { copyMarksOf } from './copy-marks.ts'

/** Longer lines are cut. No listing has them, and a pattern must not search megabytes. */
export const lineCap = 16_384

/** UTF-8, or UTF-16 with a byte order mark (what Windows terminals save). */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return new TextDecoder().decode(bytes)
}

/** True for bytes that cannot be text: UTF-8 with a NUL near the start. */
export function isBinary(bytes: Uint8Array): boolean {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return false
  return bytes.subarray(0, 4096).includes(0)
}

/** The lines without their ends, cut at `cap` characters and otherwise unchanged. */
export function* eachLine(text: string, cap = lineCap): Generator<string> {
  let start = 0
  while (start < text.length) {
    let end = text.indexOf('\n', start)
    if (end === -1) end = text.length
    const stop = end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end
    yield text.slice(start, Math.min(stop, start + cap))
    start = end + 1
  }
}

/** The lines of a pasted page without HTML, colours and invisible characters. */
export function* cleanLines(text: string): Generator<string> {
  const isPage =
    /<\/?(?:pre|br|code|p|div|span|td|html|body|blockquote|li|details)\b[^<>]{0,400}>|&(?:lt|gt|amp|quot|nbsp|#\d{1,6}|#x[0-9a-f]{1,6});/i.test(
      text.slice(0, 4_000_000),
    )
  const marks = copyMarksOf(firstLines(text))
  let index = 0
  for (const raw of eachLine(text)) {
    const taken = marks.take(cleanLine(raw), index++)
    if (taken === undefined) continue
    const line = withoutTags(taken)
    if (!isPage) {
      yield line
      continue
    }
    for (const part of line.split(/<br\s{0,4}\/?>|<\/(?:p|div|tr|li|pre|h[1-6])>/i)) yield withoutMarkup(part)
  }
}

/** The first lines, cleaned, which show how the text was copied. */
function firstLines(text: string): string[] {
  const lines: string[] = []
  for (const raw of eachLine(text, 400)) {
    lines.push(cleanLine(raw))
    if (lines.length === 400) break
  }
  return lines
}

/** Removes a forum's tags such as `[code]` at the beginning and end of a line. */
function withoutTags(line: string): string {
  if (!line.includes('[')) return line
  const [open = ''] =
    /^\s{0,20}\[(?:code|quote|spoiler|pre|font|size|tt)(?:[=\s][^\]]{0,80})?\]/i.exec(line) ?? []
  const [close = ''] = /\[\/(?:code|quote|spoiler|pre|font|size|tt)\]\s{0,20}$/i.exec(line.slice(-40)) ?? []
  const inside = line.slice(open.length, line.length - close.length)
  return inside.trim() === '' ? line : inside
}

/**
 * Removes terminal colours, zero-width and non-breaking characters, and Markdown's backslashes before
 * brackets.
 */
export function cleanLine(raw: string): string {
  let line = raw
  if (line.includes('\u001b') || line.includes('\u009b')) line = withoutEscapes(line)
  if (/[\u0000-\u0008\u000b-\u001f\u00a0\u200b-\u200d\u202f\ufeff]/.test(line)) {
    line = line
      .replace(/[\u00a0\u202f]/g, ' ')
      .replace(/[\u0000-\u0008\u000b-\u001f\u200b-\u200d\ufeff]/g, '')
  }
  if (line.includes('\\[')) line = line.replace(/\\([[\]_*#<>|-])/g, '$1')
  return line.trimEnd()
}

/** Terminal control sequences: CSI (colours, cursor), OSC (titles, links), and two-character escapes. */
function withoutEscapes(line: string): string {
  return line
    .replace(/\u001b\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)/g, '')
    .replace(/(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}[@-~]/g, '')
    .replace(/\u001b[ -/]{0,4}[0-~]/g, '')
}

const tag =
  /<\/?(?:pre|br|code|p|div|span|td|th|tr|table|tbody|thead|html|body|head|blockquote|li|ul|ol|details|summary|strong|em|tt|font|a|b|i|u|h[1-6]|sup|section|article|samp|kbd)(?:\s[^<>]{0,1000})?\/?>/gi

/** Removes only known HTML tags, because lspci itself prints `<access denied>`, `<?>` and `<TAbort-`. */
function withoutMarkup(line: string): string {
  const bare = line.includes('<') ? line.replace(tag, '') : line
  return bare.includes('&')
    ? bare.replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, (whole, name: string) => entity(name) ?? whole)
    : bare
}

function entity(name: string): string | undefined {
  const named: Readonly<Record<string, string>> = {
    lt: '<',
    gt: '>',
    amp: '&',
    quot: '"',
    apos: "'",
    nbsp: ' ',
    ndash: '-',
  }
  const lower = name.toLowerCase()
  if (!lower.startsWith('#')) return named[lower]
  const code = lower.startsWith('#x')
    ? Number.parseInt(lower.slice(2), 16)
    : Number.parseInt(lower.slice(1), 10)
  return code >= 32 && code < 0x110000 ? String.fromCodePoint(code) : ' '
}
