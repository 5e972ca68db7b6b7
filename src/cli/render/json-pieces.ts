/**
 * JSON as JSON.stringify(document, null, 2) writes it, made piece by piece: of thousands of devices the whole text would be
 * megabytes, copied from one place to the next before a byte of it is written.
 */

/** How many elements of an array become one piece. */
const elementsOfPiece = 16

/** Joined, the pieces are the text of the document. Long arrays are cut only at its top level. */
export function* jsonPieces(document: object): Generator<string> {
  let before = '{\n'
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue
    if (Array.isArray(value) && value.length > elementsOfPiece) yield* piecesOfArray(key, value, before)
    else yield before + memberText(key, value)
    before = ',\n'
  }
  yield before === '{\n' ? '{}' : '\n}'
}

function* piecesOfArray(key: string, elements: readonly unknown[], before: string): Generator<string> {
  const opening = `  ${JSON.stringify(key)}: [\n`
  const closing = '\n  ]'
  for (let at = 0; at < elements.length; at += elementsOfPiece) {
    const member = memberText(key, elements.slice(at, at + elementsOfPiece))
    // Not joined: that would be a copy of the whole piece.
    yield at === 0 ? before + opening : ',\n'
    yield member.slice(opening.length, -closing.length)
  }
  yield closing
}

/** `  "key": value`, as it stands in a document. */
function memberText(key: string, value: unknown): string {
  return JSON.stringify({ [key]: value }, null, 2).slice(2, -2)
}
