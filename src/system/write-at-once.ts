/** Writing to a file descriptor that is open already, without a stream. */
import { writeSync } from 'node:fs'

/** How many bytes were taken; fewer than there are when the kernel refuses, for a full pipe (EAGAIN) or for good (EPIPE). */
export function writeAtOnce(fd: number, bytes: Uint8Array): number {
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written)
  } catch {
    // Whoever writes the rest by a stream meets the error again, and there it is dealt with.
  }
  return written
}
