/**
 * Numbers and bytes as lower-case hex, as the kernel writes them. Here and not in base/, because pci/ imports
 * nothing.
 */

export function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** By Buffer's native code: the configuration spaces of a host are megabytes. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
