/** File descriptors that are open already, without streams. */
import { fstatSync, writeSync } from 'node:fs'

/**
 * How many bytes were taken; fewer than there are when the kernel refuses, for a full pipe (EAGAIN) or for
 * good (EPIPE).
 */
export function writeAtOnce(fd: number, bytes: Uint8Array): number {
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written)
  } catch {
    // Whoever writes the rest by a stream meets the error again, and there it is dealt with.
  }
  return written
}

/**
 * False where it is surely no terminal: those are character devices, and none of major 1 (/dev/null; Linux,
 * Documentation/admin-guide/devices.txt).
 */
export function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev >>> 8 !== 1
  } catch {
    return true
  }
}
