/** Bytes as lower-case hex, through a table of digit pairs: a host's configuration spaces are megabytes of it. */
const digits = '0123456789abcdef'
const pairs = Uint16Array.from(
  { length: 256 },
  (_, byte) => digits.charCodeAt(byte >> 4) | (digits.charCodeAt(byte & 15) << 8),
)
const decoder = new TextDecoder('latin1')

export function toHex(bytes: Uint8Array): string {
  const text = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    const pair = pairs[bytes[i] ?? 0] ?? 0
    text[i * 2] = pair & 0xff
    text[i * 2 + 1] = pair >> 8
  }
  return decoder.decode(text)
}
