/** Values from elsewhere (serials, names of devices) as YAML that means exactly them. */
import { clean } from '../base/printable.ts'

/** Words that YAML reads as text without quotes, whatever comes after them. */
const plainWord = /^[a-z][a-z-]{0,31}$/
const otherMeanings = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'])

/** JSON strings are YAML (YAML 1.2, 1.3 "Relation to JSON"). */
export function scalar(value: string | number): string {
  if (typeof value === 'number') return String(value)
  return plainWord.test(value) && !otherMeanings.has(value) ? value : JSON.stringify(value)
}

export function flowMap(values: Readonly<Record<string, string | number>>): string {
  const entries = Object.entries(values).map(([key, value]) => `${key}: ${scalar(value)}`)
  return `{ ${entries.join(', ')} }`
}

/** One line, however the text was. */
export function commentText(text: string): string {
  return `# ${clean(text).trim()}`
}
