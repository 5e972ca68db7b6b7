/**
 * ConfigBytes: little-endian reading out of a byte array or a hex string without copying it. It owns bounds:
 * a read that touches a byte the image does not hold is `undefined`, never zero. A digit that is no hex digit
 * reads as f, like a bus error.
 */

export type ConfigBytes = {
  readonly size: number
  byte(offset: number): number | undefined
  word(offset: number): number | undefined
  /** Unsigned 32 bits. */
  dword(offset: number): number | undefined
}

const nibbles = new Uint8Array(128).fill(15)
for (let i = 0; i < 10; i += 1) nibbles[48 + i] = i
for (let i = 0; i < 6; i += 1) {
  nibbles[97 + i] = 10 + i
  nibbles[65 + i] = 10 + i
}

/** Hex without separators, two digits a byte; a trailing odd digit is ignored. */
export function configBytes(source: Uint8Array | string): ConfigBytes {
  if (typeof source !== 'string') return new ArrayBytes(source)
  const nibble = (position: number) => nibbles[source.charCodeAt(position)] ?? 15
  const size = source.length >> 1
  const byte = (offset: number) =>
    offset >= 0 && offset < size ? (nibble(offset * 2) << 4) | nibble(offset * 2 + 1) : undefined
  const word = (offset: number) => joined(byte(offset), byte(offset + 1), 8)
  return { size, byte, word, dword: (offset) => joined(word(offset), word(offset + 2), 16) }
}

/**
 * A class, since every function of a host has its bytes; some thirty words are asked for, each in one step
 * and not byte by byte.
 */
class ArrayBytes implements ConfigBytes {
  private readonly source: Uint8Array

  constructor(source: Uint8Array) {
    this.source = source
  }

  get size(): number {
    return this.source.length
  }

  byte(offset: number): number | undefined {
    return this.source[offset]
  }

  word(offset: number): number | undefined {
    return joined(this.source[offset], this.source[offset + 1], 8)
  }

  dword(offset: number): number | undefined {
    const source = this.source
    const first = source[offset]
    const last = source[offset + 3]
    if (first === undefined || last === undefined) return undefined
    return (first | ((source[offset + 1] ?? 0) << 8) | ((source[offset + 2] ?? 0) << 16) | (last << 24)) >>> 0
  }
}

function joined(low: number | undefined, high: number | undefined, bits: 8 | 16): number | undefined {
  return low === undefined || high === undefined ? undefined : (low | (high << bits)) >>> 0
}

/** 64 bits as a bigint, for physical addresses. */
export function qword(bytes: ConfigBytes, offset: number): bigint | undefined {
  const low = bytes.dword(offset)
  const high = bytes.dword(offset + 4)
  return low === undefined || high === undefined ? undefined : (BigInt(high) << 32n) | BigInt(low)
}
