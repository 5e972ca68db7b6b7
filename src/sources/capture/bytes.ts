/**
 * Converts bytes to text with one character for each byte and back. Text and binary files can then be
 * searched in the same way, and no byte is lost.
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
 * Whether a file holds control characters that a text does not have. The arguments of a process are texts
 * separated by NULs.
 */
export function isBinary(path: string, latin: string): boolean {
  return /[\0-\x08\x0e-\x1f]/.test(latin) && !/^\/proc\/\d+\/(?:cmdline|environ)$/.test(path)
}
