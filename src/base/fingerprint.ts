/**
 * Numbers and bytes that follow from a text and a key, and say nothing of the text without the key:
 * HMAC-SHA-256.
 */
import { createHmac } from 'node:crypto'

/** 48 bits. */
export function fingerprint(key: string, text: string): number {
  return createHmac('sha256', key).update(text).digest().readUIntBE(0, 6)
}

/** 256 bits. */
export function fingerprintBytes(key: string, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest()
}
