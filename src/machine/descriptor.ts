/** Uses open file descriptors without streams. */
import { fstatSync, writeSync } from 'node:fs'

/**
 * Returns the number of written bytes. It is smaller than the length when a pipe is full (EAGAIN) or closed
 * (EPIPE).
 */
export function writeAtOnce(fd: number, bytes: Uint8Array): number {
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written)
  } catch {
    // The caller writes the rest by a stream, which reports the error again.
  }
  return written
}

/**
 * False when the descriptor is certainly not a terminal: a terminal is a character device with a major number
 * other than 1, which /dev/null has (Linux, Documentation/admin-guide/devices.txt).
 */
export function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev >>> 8 !== 1
  } catch {
    return true
  }
}
