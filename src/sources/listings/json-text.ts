/** JSON as people paste it: inside a page, behind a prompt, or cut off in the middle. */

/**
 * The document from its first brace on, or from the first list of objects; a cut-off one is closed after its
 * last whole value. `undefined` when there is none.
 */
export function parseLooseJson(
  text: string,
  first: 'object' | 'list' = 'object',
): { readonly value: unknown; readonly isCut: boolean } | undefined {
  const start = text.search(first === 'object' ? /^[\s>]{0,40}\{/m : /\[\s{0,400}\{/)
  if (start === -1) return undefined
  const body = text.slice(start)
  const whole = tryParse(body)
  if (whole !== undefined) return { value: whole, isCut: false }
  const { end, closers } = lastWholeValue(body)
  const value = tryParse(body.slice(0, end) + closers)
  return value === undefined ? undefined : { value, isCut: closers !== '' }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // Not (whole) JSON: the caller tries less of it, or another form.
    return undefined
  }
}

/**
 * One pass: where the last `}` or `]` ended a value, and what was open around it. Stops when the outermost
 * value is closed.
 */
function lastWholeValue(text: string): { readonly end: number; readonly closers: string } {
  const open: string[] = []
  let inString = false
  let found = { end: 0, closers: '' }
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at]
    if (inString) {
      if (c === '\\') at += 1
      else if (c === '"') inString = false
    } else if (c === '"') inString = true
    else if (c === '{' || c === '[') {
      open.push(c === '{' ? '}' : ']')
      if (open.length > 200) break
    } else if (c === '}' || c === ']') {
      if (open.pop() !== c) break
      found = { end: at + 1, closers: open.toReversed().join('') }
      if (open.length === 0) break
    }
  }
  return found
}
