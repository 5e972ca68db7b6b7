/**
 * ConfigBytes: little-endian reading out of a byte array or a hex string without copying it. It owns bounds: a read that
 * touches a byte the image does not hold is `undefined`, never zero. A digit that is no hex digit reads as f, like a bus error.
 */

export type ConfigBytes = {
  readonly size: number
  readonly byte: (offset: number) => number | undefined
}

const nibbles = new Uint8Array(128).fill(15)
for (let i = 0; i < 10; i += 1) nibbles[48 + i] = i
for (let i = 0; i < 6; i += 1) {
  nibbles[97 + i] = 10 + i
  nibbles[65 + i] = 10 + i
}

/** Hex without separators, two digits a byte; a trailing odd digit is ignored. */
export function configBytes(source: Uint8Array | string): ConfigBytes {
  if (typeof source !== 'string') {
    return { size: source.length, byte: (offset) => source[offset] }
  }
  const nibble = (position: number) => nibbles[source.charCodeAt(position)] ?? 15
  const size = source.length >> 1
  return {
    size,
    byte: (offset) => (offset >= 0 && offset < size ? (nibble(offset * 2) << 4) | nibble(offset * 2 + 1) : undefined),
  }
}

export function word(bytes: ConfigBytes, offset: number): number | undefined {
  const low = bytes.byte(offset)
  const high = bytes.byte(offset + 1)
  return low === undefined || high === undefined ? undefined : low | (high << 8)
}

/** Unsigned 32 bits. */
export function dword(bytes: ConfigBytes, offset: number): number | undefined {
  const low = word(bytes, offset)
  const high = word(bytes, offset + 2)
  return low === undefined || high === undefined ? undefined : (low | (high << 16)) >>> 0
}

/** 64 bits as a bigint, for physical addresses. */
export function qword(bytes: ConfigBytes, offset: number): bigint | undefined {
  const low = dword(bytes, offset)
  const high = dword(bytes, offset + 4)
  return low === undefined || high === undefined ? undefined : (BigInt(high) << 32n) | BigInt(low)
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

export function hexBytes(bytes: ConfigBytes, from: number, length: number): string {
  let text = ''
  for (let i = from; i < from + length; i += 1) text += hex(bytes.byte(i) ?? 255, 2)
  return text
}
