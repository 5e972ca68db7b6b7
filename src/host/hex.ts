/** Bytes as lower-case hex. Written by hand because pure and host folders use no Buffer; a table keeps it fast for 4096-byte config spaces. */
const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (let i = 0; i < bytes.length; i++) hex += pairs[bytes[i] ?? 0] ?? ''
  return hex
}
