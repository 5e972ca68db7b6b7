/** A number that follows from a text and a key and tells nothing of the text without the key: 48 bits of HMAC-SHA-256. */
import { createHmac } from 'node:crypto'

export function fingerprint(key: string, text: string): number {
  return createHmac('sha256', key).update(text).digest().readUIntBE(0, 6)
}
