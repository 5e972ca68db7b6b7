/**
 * YAML text → Spec, or findings with line, column and caret. One run reports everything that is wrong. This
 * file knows no host: plan checks whether the named things exist.
 */
import { bytesText } from '../base/size.ts'
import { defined } from '../base/defined.ts'
import { LineCounter, parseDocument } from 'yaml'
import { toJSONSchema, type core } from 'zod'
import type { Finding, FindingCode } from '../base/finding.ts'
import { checkWritten } from './check-spec.ts'
import { collectPlaces } from './collect-places.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { specFromWritten } from './from-written.ts'
import { placeOf, type SpecPlaces } from './places.ts'
import { prune } from './prune.ts'
import { otherClassWords } from './device-schema.ts'
import { nameRule } from './schema-parts.ts'
import { specSchema } from './schema.ts'
import { quoted, shownValue, valueAt } from '../base/shown-value.ts'
import type { Spec, SpecPath } from './spec.ts'

export type ParsedSpec = {
  /** Absent when there is an error. */
  readonly spec?: Spec
  readonly findings: readonly Finding[]
  readonly places: SpecPlaces
}

const maxCharacters = 1024 * 1024
const maxFindings = 100

export function parseSpec(text: string, file: string): ParsedSpec {
  if (text.length > maxCharacters)
    return stopped(file, `the spec is larger than ${bytesText(maxCharacters)}`, 'is this the right file?')
  const lines = new LineCounter()
  let value: unknown
  let places: SpecPlaces
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      strict: true,
      stringKeys: false,
    })
    const broken = [...document.errors, ...document.warnings].map((error): Finding => {
      const { line, col } = lines.linePos(error.pos[0])
      const length = Math.max(1, Math.min(error.pos[1] - error.pos[0], 80))
      return finding('spec-syntax', yamlWords(error.code, error.message), undefined, {
        file,
        line,
        column: col,
        length,
      })
    })
    if (broken.length > 0) return { findings: broken.slice(0, maxFindings), places: new Map() }
    places = collectPlaces(document.contents, lines, file)
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    // The YAML library recurses and expands aliases; a text made to exhaust it ends in one of these two.
    if (!(error instanceof RangeError) && !(error instanceof ReferenceError)) throw error
    return stopped(file, 'the spec is nested too deeply or repeats itself through aliases too often')
  }
  if (value === null || value === undefined)
    return stopped(
      file,
      'the spec is empty',
      'start with `version: 1` and `vms:`; examples/ has complete specs',
    )
  return checked(value, places)
}

function checked(value: unknown, places: SpecPlaces): ParsedSpec {
  const parsed = specSchema.safeParse(value)
  const findings = parsed.success
    ? checkWritten(parsed.data, places)
    : allFindings(value, parsed.error.issues, places)
  const sorted = findings
    .toSorted((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0))
    .slice(0, maxFindings)
  if (!parsed.success || sorted.length > 0) return { findings: sorted, places }
  return { spec: specFromWritten(parsed.data), findings: [], places }
}

/**
 * The findings about the shape of the spec, and those about the rest of its content once wrong parts are
 * removed.
 */
function allFindings(value: unknown, issues: readonly core.$ZodIssue[], places: SpecPlaces): Finding[] {
  const rest = prune(value, issues)
  return [
    ...issues.flatMap((issue) => findingsOf(issue, value, places)),
    ...(rest === undefined ? [] : checkWritten(rest.written, places, rest.touched)),
  ]
}

function findingsOf(issue: core.$ZodIssue, root: unknown, places: SpecPlaces): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const written = valueAt(root, path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey({ path, key, known: knownKeys(path) }, places))
  const atKey = placeOf(places, path, 'key')
  if (issue.code === 'invalid_key')
    return [finding('spec-value', `${quoted(String(path.at(-1)))} is not a name`, nameRule, atKey)]
  if (written === undefined) {
    const message = `${describe(path.slice(0, -1))} has no ${String(path.at(-1))}`
    return [finding('spec-value', message, `add it: ${issue.message}`, atKey)]
  }
  const shown = shownValue(written)
  const near =
    issue.code === 'invalid_value' && typeof written === 'string'
      ? nearValue(written, issue.values.map(String))
      : undefined
  const help = near ? `did you mean ${near}? ${issue.message}` : issue.message
  return [finding('spec-value', `${describe(path)} is ${shown}`, help, placeOf(places, path))]
}

function nearValue(written: string, values: readonly string[]): string | undefined {
  const meant = otherClassWords[written.toLowerCase()]
  return meant !== undefined && values.includes(meant) ? meant : didYouMean(written, values)
}

function unknownKey(
  { path, key, known }: { readonly path: SpecPath; readonly key: string; readonly known: readonly string[] },
  places: SpecPlaces,
): Finding {
  const near = didYouMean(key, known)
  const help = near ? `did you mean ${near}?` : `the keys here are ${known.join(', ')}`
  const place = placeOf(places, [...path, key], 'key')
  return finding('spec-unknown-key', `${describe(path)} has no key ${quoted(key)}`, help, place)
}

/** The keys that the schema allows at a path. */
function knownKeys(path: SpecPath): string[] {
  type Node = { properties?: Record<string, Node>; additionalProperties?: Node | boolean; items?: Node }
  let node: Node | undefined = toJSONSchema(specSchema, { io: 'input' }) as Node
  for (const part of path) {
    const further: Node | boolean | undefined =
      typeof part === 'number' ? node?.items : (node?.properties?.[part] ?? node?.additionalProperties)
    node = typeof further === 'object' ? further : undefined
  }
  return Object.keys(node?.properties ?? {})
}

/**
 * A path in words, from the inside out: `memory of firewall`, `mac of networks 1 of firewall`. Keys that only
 * group (`vms`, `devices`) are left out.
 */
function describe(path: SpecPath): string {
  const parts: string[] = []
  for (const [i, part] of path.entries()) {
    if (typeof part === 'number') parts.push(`${parts.pop() ?? 'item'} ${part + 1}`)
    else if (!(
      (i === 0 && part === 'vms' && path.length > 1) ||
      (i === 2 && part === 'devices' && path.length > 3)
    ))
      parts.push(part)
  }
  return parts.length === 0 ? 'the spec' : parts.toReversed().join(' of ')
}

/** Replaces the two most frequent messages of the YAML library by plainer ones. */
function yamlWords(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is in the map twice'
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML allows only spaces'
  return message.split('\n')[0] ?? message
}

function finding(code: FindingCode, message: string, help: string | undefined, at: Finding['at']): Finding {
  return { code, severity: 'error', message, ...defined({ help, at }) }
}

function stopped(file: string, message: string, help?: string): ParsedSpec {
  return {
    findings: [finding('spec-syntax', message, help, { file, line: 1, column: 1 })],
    places: new Map(),
  }
}
