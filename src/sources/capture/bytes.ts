/**
 * Bytes as text of one character each, so that texts and binary files are searched in one way and come back
 * as they were.
 */

export function latinOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

export function bytesOfLatin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function latinOfText(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : latinOf(new TextEncoder().encode(text))
}

export function textOfLatin(latin: string): string {
  return /^[\0-\x7f]*$/.test(latin) ? latin : new TextDecoder().decode(bytesOfLatin(latin))
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/**
 * No text: it holds control characters that texts do not have. The arguments of a process are texts behind
 * one another.
 */
export function isBinary(path: string, latin: string): boolean {
  return /[\0-\x08\x0e-\x1f]/.test(latin) && !/^\/proc\/\d+\/(?:cmdline|environ)$/.test(path)
}
