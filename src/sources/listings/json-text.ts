/** Parses JSON as people paste it: inside a page, after a prompt, or cut off. */

/**
 * Parses from the first brace, or from the first list of objects. A document that is cut off is closed after
 * its last whole value. `undefined` if there is none.
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
    // Not complete JSON; the caller tries a shorter part or another form.
    return undefined
  }
}

/** Finds in one pass the end of the last complete value, and the brackets that are open there. */
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
