/**
 * UTF-8 from and into a Buffer by the methods that `toString` and `write` themselves end in. Those look up the encoding at each
 * call, and Node compiles their code at the first: one percent of `inspect`. Undocumented, so the others stand by.
 */
type Native = Buffer & {
  readonly utf8Slice?: (start: number, end: number) => string
  readonly utf8Write?: (text: string, offset: number) => number
}

/** The first `length` bytes; what is no UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Native, length: number): string {
  return bytes.utf8Slice?.(0, length) ?? bytes.toString('utf8', 0, length)
}

/** From `offset` on, as far as there is room for whole characters; the number of bytes written. */
export function encodeUtf8(bytes: Native, text: string, offset: number): number {
  return bytes.utf8Write?.(text, offset) ?? bytes.write(text, offset)
}
