/** Turns what zod finds wrong in a topology into findings of this program. */
import type { core } from 'zod'
import type { Finding } from '../base/finding.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { quoted, shownValue, valueAt } from '../base/shown-value.ts'

type Path = readonly (string | number)[]
export type Placer = (path: Path) => NonNullable<Finding['at']>

const example = 'docs/lab.md describes the file; lab/home.yaml is an example'

export function topologyFindings(issue: core.$ZodIssue, root: unknown, place: Placer): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      code: 'spec-unknown-key',
      severity: 'error',
      message: `${shownPath(path)} has no key ${quoted(key)}`,
      help: example,
      at: place([...path, key]),
    }))
  const written = valueAt(root, path)
  const said = { code: 'spec-value', severity: 'error', at: place(path) } as const
  if (written === undefined && path.length > 0)
    return [
      {
        ...said,
        message: `${shownPath(path.slice(0, -1))} has no ${path.at(-1)}`,
        help: helpFor(issue, written),
      },
    ]
  return [{ ...said, message: `${shownPath(path)} is ${shownValue(written)}`, help: helpFor(issue, written) }]
}

/** `ports.0.functions.1`: a list's entries are counted from 0, as in the file's own order. */
function shownPath(path: Path): string {
  return path.length === 0 ? 'the topology' : path.join('.')
}

function helpFor(issue: core.$ZodIssue, written: unknown): string {
  if (issue.code === 'invalid_value') return oneOf(issue.values.map(String), written)
  if (issue.code === 'invalid_type') return `it is ${kinds[issue.expected] ?? issue.expected}; ${example}`
  if (issue.code === 'too_small')
    return `it ${verbFor(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`
  if (issue.code === 'too_big')
    return `it ${verbFor(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`
  return issue.code === 'invalid_format' ? `it is ${issue.message}` : example
}

function oneOf(known: readonly string[], written: unknown): string {
  const near = typeof written === 'string' ? didYouMean(written, known) : undefined
  const question = near === undefined ? '' : `did you mean ${near}? `
  return `${question}it is ${known.length > 1 ? 'one of ' : ''}${known.join(', ')}`
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
}

function verbFor(origin: string): string {
  return origin in units ? 'has' : 'is'
}

const units: Readonly<Record<string, readonly [one: string, many: string]>> = {
  array: ['entry', 'entries'],
  string: ['character', 'characters'],
}

function unitOf(origin: string, count: number | bigint): string {
  const words = units[origin]
  return words === undefined ? '' : ` ${words[Number(count) === 1 ? 0 : 1]}`
}
