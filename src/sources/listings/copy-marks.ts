/**
 * Removes marks that copying adds to all lines of a text: line numbers of a viewer, quotes of a mail, doubled
 * line ends of a page. A mark that some lines lack is a part of the text.
 */

/** The number of lines that are examined. */
const looked = 400
/** The most lines of prose above the listing. */
const mostProse = 6

export type CopyMarks = {
  /** The line without its marks; `undefined` if copying added the line. */
  readonly take: (line: string, index: number) => string | undefined
}

/** `lines`: the first lines of the text. */
export function copyMarksOf(lines: readonly string[]): CopyMarks {
  const first = lines.slice(0, looked)
  const quote = quoteOf(first)
  const plain = first.map((line) => line.replace(quote ?? '', ''))
  const number = numberOf(plain)
  const doubledFrom = number === undefined ? doubledFromLine(plain) : undefined
  return {
    take(line, index) {
      const isSecond = doubledFrom !== undefined && index > doubledFrom && (index - doubledFrom) % 2 === 1
      if (isSecond && isEmpty(line.replace(quote ?? '', ''))) return undefined
      const bare = quote === undefined ? line : line.replace(quote, '')
      return number === undefined ? bare : bare.replace(number, '')
    },
  }
}

function isEmpty(line: string): boolean {
  return line.trim() === ''
}

/** `> ` of mails and forums, once or more, and the bar that chat programs draw. */
function quoteOf(lines: readonly string[]): RegExp | undefined {
  const filled = lines.filter((line) => !isEmpty(line))
  if (filled.length < 2) return undefined
  return [/^(?:> ?)+/, /^ {0,2}[│┃▎] ?/].find((pattern) => filled.every((line) => pattern.test(line)))
}

/**
 * The numbers of `cat -n`, `nl` and `less -N`: right-aligned in six or seven columns, then a tab or a blank.
 */
const inColumns = /^ {0,6}(\d{1,7})[\t ]/
/** The numbers of editors, `grep -n` and pages: `12 │ `, `12: `, `12. `. */
const otherwise = /^ {0,6}(\d{1,7})(?:: ?|[.)] | ?[│|] ?|\t| {1,3})/

/**
 * Whether the lines are numbered. Group numbers before functions look alike, but do not count up for so long.
 */
function numberOf(lines: readonly string[]): RegExp | undefined {
  if (counts(lines, { first: 1, mostOthers: 5, widths: [7, 8] }, inColumns)) return inColumns
  const from = lines.slice(0, mostProse + 1).findIndex((line) => otherwise.test(line))
  const start = lines[from] ?? ''
  const mark = otherwise.exec(start)
  if (mark?.[1] === undefined) return undefined
  const after = start
    .slice(start.indexOf(mark[1]) + mark[1].length, mark[0].length)
    .replaceAll(/[.)|]/g, String.raw`\$&`)
  // An empty line has no blanks after its number.
  const own = new RegExp(`^ {0,6}(\\d{1,7})(?:${after}|${after.trimEnd()}$)`)
  // A list of groups also has a number before each function. So some numbered lines must hold something else,
  // except for `1:00:00.0` of grep -n, which no list of groups has.
  const counted = lines.slice(from)
  const others = counted.filter((line) => own.test(line) && !beginsWithPlace(line.replace(own, '')))
  const isMeant = others.length >= 2 || after === ':'
  return isMeant && counts(counted, { first: Number(mark[1]), mostOthers: 0 }, own) ? own : undefined
}

function beginsWithPlace(text: string): boolean {
  return text.trim() === '' || /^\W{0,10}(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i.test(text)
}

type Count = { readonly first: number; readonly mostOthers: number; readonly widths?: readonly number[] }

/** Whether every line has the next number, except for a few before the first. */
function counts(lines: readonly string[], { first, mostOthers, widths }: Count, pattern: RegExp): boolean {
  let next = first
  let others = 0
  for (const line of lines) {
    const match = pattern.exec(line)
    const isNext = match !== null && Number(match[1]) === next && widths?.includes(match[0].length) !== false
    if (isNext) next += 1
    else if (!isEmpty(line)) others += next === first ? 1 : 100
    if ((mostOthers > 0 && next > 8) || others > mostOthers) break
  }
  return next > first + 2 && others <= mostOthers
}

/** The line from which on every line is followed by an empty one, as some pages end a line twice. */
function doubledFromLine(lines: readonly string[]): number | undefined {
  const last = lines.findLastIndex((line) => !isEmpty(line))
  for (let from = 0; from <= mostProse && from + 10 <= last; from++) {
    const rest = lines.slice(from, last)
    if (!isEmpty(lines[from] ?? '') && rest.every((line, index) => index % 2 === 0 || isEmpty(line)))
      return from
  }
  return undefined
}
