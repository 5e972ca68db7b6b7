/** Ids in the binary form in which EFI variables hold them. */

/** Partitions in the device path of a boot entry are named by 16 bytes, of which the first three numbers are little-endian. */
export function redactIds(bytes: Uint8Array, words: readonly (readonly [string, string])[]): Uint8Array {
  let text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  for (const [secret, fake] of words) {
    const [from, to] = [idBytes(secret), idBytes(fake)]
    const at = from === undefined ? -1 : text.indexOf(from)
    if (at >= 0 && at % 2 === 0 && to !== undefined) text = text.slice(0, at) + to + text.slice(at + to.length)
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function idBytes(id: string): string | undefined {
  const [first, second, third, ...rest] = id.toLowerCase().split('-')
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || third === undefined) return undefined
  const turned = [first, second, third].map((part) => (part?.match(/../g) ?? []).toReversed().join(''))
  return [...turned, ...rest].join('')
}
