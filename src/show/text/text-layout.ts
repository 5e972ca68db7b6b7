/** Laying out lines for a terminal: wrapping, cutting, and making foreign text safe to print. */

/** Names come from outside: control characters (escape sequences among them) are shown as spaces. */
export function clean(text: string): string {
  // Nearly all are: asked first, since a replacement costs more, found or not.
  if (/^[ -~]*$/.test(text)) return text
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
}

export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  return width < 2 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`
}

/** Words into lines of at most `width`; a longer word stands alone on its line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of clean(text).split(' ').filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}

/** `512 B`, `4.0 KiB`, `1.8 TiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
