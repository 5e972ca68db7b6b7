/**
 * Numbers and bytes derived from a text and a key by HMAC-SHA-256. Without the key they do not reveal the
 * text.
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
