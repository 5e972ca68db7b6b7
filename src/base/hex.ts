/** Bytes as lower-case hex. By Buffer's native code: a host's configuration spaces are megabytes of it. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
