/**
 * Which device node a path leads to, by the numbers the kernel knows it by; names in a container's /dev may
 * be any.
 */
import { statSync } from 'node:fs'

/** `char 188:0` or `block 8:16`; undefined where it is no node, or gone. */
export function nodeNumber(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true })
    const kind = stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : undefined
    return kind === undefined ? undefined : `${kind} ${majorOf(stat.rdev)}:${minorOf(stat.rdev)}`
  } catch {
    // It was closed meanwhile, or belongs to another user: the name is all there is.
    return undefined
  }
}

/** As glibc's gnu_dev_major(3) and gnu_dev_minor(3) take a 64-bit number apart. */
function majorOf(number: bigint): bigint {
  return ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)
}

function minorOf(number: bigint): bigint {
  return (number & 0xffn) | ((number >> 12n) & 0xffffff00n)
}
