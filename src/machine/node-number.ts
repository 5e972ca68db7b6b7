/** Identifies a device node by its kernel numbers, since the names in the /dev of a container may be any. */
import { statSync } from 'node:fs'

/** `char 188:0` or `block 8:16`. Undefined when the path is not a device node, or no longer exists. */
export function nodeNumber(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true })
    const kind = stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : undefined
    return kind === undefined ? undefined : `${kind} ${majorOf(stat.rdev)}:${minorOf(stat.rdev)}`
  } catch {
    // The file was closed meanwhile, or belongs to another user: only its name is known.
    return undefined
  }
}

/** Splits a 64-bit number as gnu_dev_major(3) and gnu_dev_minor(3) of glibc do. */
function majorOf(number: bigint): bigint {
  return ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)
}

function minorOf(number: bigint): bigint {
  return (number & 0xffn) | ((number >> 12n) & 0xffffff00n)
}
