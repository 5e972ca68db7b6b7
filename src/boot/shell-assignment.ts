/**
 * Edits assignments in files that a shell sources (`/etc/default/grub`), following the quoting rules of the
 * shell. Everything else keeps its bytes. Nothing is run or expanded. Text that is not understood is refused,
 * since a wrong guess may make the host unbootable.
 */
import { addArg, formatCmdline, hasArg, parseCmdline, removeArg } from './cmdline.ts'

/** `bare` has no quotes. `start` and `end` exclude the quotes. */
export type Segment = {
  readonly kind: 'bare' | 'single' | 'double'
  readonly start: number
  readonly end: number
}

export type Assignment = {
  readonly name: string
  /** `NAME+=…`. */
  readonly isAppend: boolean
  /** The assignment is inside if, case, a loop, braces or parentheses, or after && or ||. */
  readonly isConditional: boolean
  /** The offset after the `=`. */
  readonly valueStart: number
  readonly valueEnd: number
  readonly segments: readonly Segment[]
}

export type ShellFile = {
  readonly assignments: readonly Assignment[]
  /** Why reading stopped: an open quote, a here-document. */
  readonly problem: string | undefined
}

type Word = { readonly start: number; readonly end: number; readonly segments: readonly Segment[] }

const openers = new Set(['if', 'case', 'for', 'while', 'until', '{', '('])
const closers = new Set(['fi', 'esac', 'done', '}', ')'])
const separators = new Set(['then', 'else', 'elif', 'do', '!', 'time'])

export function parseShell(text: string): ShellFile {
  const reading: ShellReading = { text, assignments: [], ...startOfFile }
  while (reading.at < text.length) {
    if (takeSign(reading)) continue
    if (text.startsWith('<<', reading.at)) return stopped(reading, 'a here-document')
    const redirects = text[reading.at] === '<' || text[reading.at] === '>'
    const word = redirects ? undefined : readWord(text, reading.at)
    if (redirects) reading.at += 1
    else if (word === undefined) return stopped(reading, 'a quote that is never closed')
    else takeWord(reading, word)
  }
  const problem = reading.depth === 0 ? undefined : 'a block that is never closed'
  return { assignments: reading.assignments, problem }
}

type ShellReading = {
  readonly text: string
  readonly assignments: Assignment[]
  at: number
  /** The number of open blocks. */
  depth: number
  /** The statement runs only after another one. */
  isGuarded: boolean
  /** The next word is a command or an assignment, not an argument. */
  isCommand: boolean
  isExport: boolean
}

const startOfFile = { at: 0, depth: 0, isGuarded: false, isCommand: true, isExport: false }

function stopped({ text, at, assignments }: ShellReading, what: string): ShellFile {
  return { assignments, problem: `${what} at ${placeOf(text, at)}` }
}

/** Skips a blank, a comment or a separator of statements. False when there is none. */
function takeSign(reading: ShellReading): boolean {
  const { text, at } = reading
  const character = text[at] ?? ''
  if (character === ' ' || character === '\t') reading.at += 1
  else if (character === '\\' && text[at + 1] === '\n') reading.at += 2
  else if (character === '#') reading.at = endOfLine(text, at)
  else if (character === '\n' || character === ';') endStatement(reading, { isGuarded: false, length: 1 })
  else if (character === '&' || character === '|') {
    const isDouble = text[at + 1] === character
    endStatement(reading, { isGuarded: isDouble, length: isDouble ? 2 : 1 })
  } else if (character === '(' || character === ')') {
    reading.depth += character === '(' ? 1 : -1
    endStatement(reading, { isGuarded: reading.isGuarded, length: 1 })
  } else return false
  return true
}

function endStatement(
  reading: ShellReading,
  { isGuarded, length }: { readonly isGuarded: boolean; readonly length: number },
): void {
  reading.isCommand = true
  reading.isExport = false
  reading.isGuarded = isGuarded
  reading.at += length
}

function takeWord(reading: ShellReading, word: Word): void {
  const { text, isCommand, depth, isGuarded } = reading
  const plain = text.slice(word.start, word.end)
  const canAssign = isCommand || reading.isExport
  const assignment = canAssign ? asAssignment(text, word, depth > 0 || isGuarded) : undefined
  if (assignment) reading.assignments.push(assignment)
  else if (isCommand && openers.has(plain)) reading.depth += 1
  else if (isCommand && closers.has(plain)) reading.depth -= 1
  else if (isCommand && plain === 'export') reading.isExport = true
  else if (!(isCommand && separators.has(plain))) reading.isCommand = false
  if (reading.isExport) reading.isCommand = false
  reading.at = word.end
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function placeOf(text: string, at: number): string {
  return `line ${text.slice(0, at).split('\n').length}`
}

/** Undefined when a quote is not closed. A carriage return is not a blank, so it belongs to the word. */
function readWord(text: string, start: number): Word | undefined {
  const segments: Segment[] = []
  let at = start
  while (at < text.length && !/[ \t\n;&|<>()]/.test(text[at] ?? '')) {
    const character = text[at]
    if (character === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return undefined
      segments.push({ kind: 'single', start: at + 1, end })
      at = end + 1
    } else if (character === '"') {
      const end = endOfDouble(text, at + 1)
      if (end === undefined) return undefined
      segments.push({ kind: 'double', start: at + 1, end })
      at = end + 1
    } else {
      const end = endOfBare(text, at)
      if (end === undefined) return undefined
      segments.push({ kind: 'bare', start: at, end })
      at = end
    }
  }
  return { start, end: at, segments }
}

/**
 * Finds the closing quote: a backslash escapes the next character, and `$( … )` and backquotes are skipped.
 */
function endOfDouble(text: string, start: number): number | undefined {
  let at = start
  while (at < text.length) {
    const character = text[at]
    if (character === '"') return at
    if (character === '\\') at += 2
    else if (character === '`' || text.startsWith('$(', at)) {
      const end = endOfSubstitution(text, at)
      if (end === undefined) return undefined
      at = end
    } else at += 1
  }
  return undefined
}

function endOfBare(text: string, start: number): number | undefined {
  let at = start
  while (at < text.length && !/[ \t\n;&|<>()'"]/.test(text[at] ?? '')) {
    if (text[at] === '\\') at += 2
    else if (text[at] === '`' || text.startsWith('$(', at)) {
      const end = endOfSubstitution(text, at)
      if (end === undefined) return undefined
      at = end
    } else at += 1
  }
  return Math.min(at, text.length)
}

function endOfSubstitution(text: string, start: number): number | undefined {
  if (text[start] === '`') {
    const end = text.indexOf('`', start + 1)
    return end < 0 ? undefined : end + 1
  }
  let depth = 0
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '(') depth += 1
    else if (text[at] === ')') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

function asAssignment(text: string, word: Word, isConditional: boolean): Assignment | undefined {
  const [first] = word.segments
  if (first?.kind !== 'bare') return undefined
  const match = /^([A-Za-z_]\w*)(\+?)=/.exec(text.slice(first.start, first.end))
  if (!match) return undefined
  const [head, name = '', plus] = match
  const valueStart = word.start + head.length
  // A carriage return at the end of the line is not part of the value.
  const valueEnd =
    text[word.end - 1] === '\r' && word.segments.at(-1)?.kind === 'bare' ? word.end - 1 : word.end
  const segments = [{ ...first, start: valueStart }, ...word.segments.slice(1)]
    .map((segment) =>
      segment.kind === 'bare' ? { ...segment, end: Math.min(segment.end, valueEnd) } : segment,
    )
    .filter(({ kind, start, end }) => kind !== 'bare' || start < end)
  return { name, isAppend: plus === '+', isConditional, valueStart, valueEnd, segments }
}

export type Edit =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

const harmless = /^[\w.,:=/@+-]+$/

/**
 * Adds a kernel argument to the last plain assignment of `NAME`, or as a new line when there is none.
 * `removeArgFrom` restores the same bytes. `bash`: only bash reads the file, so a last `NAME+=` is edited as
 * well.
 */
export function addArgTo(text: string, name: string, raw: string, reader: 'sh' | 'bash' = 'sh'): Edit {
  if (!harmless.test(raw)) return { ok: false, reason: `${raw} would need quoting` }
  const file = parseShell(text)
  if (file.problem !== undefined) return { ok: false, reason: file.problem }
  const own = file.assignments.filter((assignment) => assignment.name === name)
  // bash appends with `NAME+=`, but dash runs it as an unknown command. Both understand a plain assignment.
  const last = reader === 'bash' ? own.at(-1) : own.findLast(({ isAppend }) => !isAppend)
  if (last === undefined && own.length > 0) return { ok: false, reason: `${name} is only appended to` }
  if (last === undefined)
    return { ok: true, text: `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${name}="${raw}"\n` }
  if (last.isConditional) return { ok: false, reason: `${name} is set last inside a condition` }
  // Earlier assignments count only when the last one includes their value.
  const value = text.slice(last.valueStart, last.valueEnd)
  const takesOver = last.isAppend || new RegExp(`\\$\\{?${name}\\b`).test(value)
  const inForce = own.filter(
    (assignment) => assignment === last || (takesOver && assignment.valueStart < last.valueStart),
  )
  if (inForce.some((assignment) => hasArgInside(text, assignment, raw))) return { ok: true, text }
  return { ok: true, text: insertArg(text, last, raw) }
}

function hasArgInside(text: string, assignment: Assignment, raw: string): boolean {
  return assignment.segments.some(({ start, end }) => hasArg(parseCmdline(text.slice(start, end)), raw))
}

function insertArg(
  text: string,
  { segments, valueStart, valueEnd, isAppend }: Assignment,
  raw: string,
): string {
  const last = segments.at(-1)
  // An empty value needs no quotes. A quoted part is added after a bare word, and the shell joins both.
  if (last === undefined) return splice(text, valueStart, valueEnd, isAppend ? `" ${raw}"` : raw)
  if (last.kind === 'bare') return splice(text, valueEnd, valueEnd, `" ${raw}"`)
  const inner = text.slice(last.start, last.end)
  const isFirst = segments.length === 1
  const added = formatCmdline(addArg(parseCmdline(inner), raw))
  // Without the space, the argument would be joined to the segment or the value before it.
  return splice(text, last.start, last.end, inner === '' && (isAppend || !isFirst) ? ` ${raw}` : added)
}

/** Removes an argument from every assignment of `NAME`, also from conditional ones. */
export function removeArgFrom(text: string, name: string, raw: string): Edit {
  const file = parseShell(text)
  if (file.problem !== undefined) return { ok: false, reason: file.problem }
  let edited = text
  for (const assignment of file.assignments.toReversed()) {
    if (assignment.name !== name) continue
    for (const segment of assignment.segments.toReversed()) {
      const inner = edited.slice(segment.start, segment.end)
      const cut = formatCmdline(removeArg(parseCmdline(inner), raw))
      if (cut === inner) continue
      const isOurs =
        segment.kind === 'double' && cut === '' && inner === ` ${raw}` && assignment.segments.length > 1
      edited = isOurs
        ? splice(edited, segment.start - 1, segment.end + 1, '')
        : splice(edited, segment.start, segment.end, cut)
    }
  }
  return { ok: true, text: edited }
}

function splice(text: string, start: number, end: number, put: string): string {
  return text.slice(0, start) + put + text.slice(end)
}
