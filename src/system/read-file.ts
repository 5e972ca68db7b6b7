/** Reading a file whole, up to a limit. Kernel attributes state a size of 4096 or 0 whatever they hold, so size is not asked. */
import * as fs from 'node:fs'

export class TooLarge extends Error {}

/** One buffer for all reads: a host is thousands of tiny files, and a fresh 64 KiB for each costs more than the reading. */
const scratch = Buffer.allocUnsafeSlow(65_536)

const plainFlags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK

/** `how.follow` false: a link as the last part is an error (ELOOP). `how.isAttribute`: a short read is the end, as in sysfs. */
export type ReadHow = { readonly follow: boolean; readonly isAttribute: boolean }

export function readCapped(path: string, limit: number, how: ReadHow): Uint8Array {
  const fd = fs.openSync(path, how.follow ? plainFlags : plainFlags | fs.constants.O_NOFOLLOW)
  try {
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
      const read = fs.readSync(fd, scratch, 0, Math.min(scratch.length, limit + 1 - total), null)
      total += read
      if (total > limit) throw new TooLarge()
      // sysfs hands out at most a page at a time; less than that was all of it.
      const isAll = read === 0 || (how.isAttribute && read < 4096)
      if (isAll && chunks.length === 0) return Buffer.from(scratch.subarray(0, read))
      if (read > 0) chunks.push(Buffer.from(scratch.subarray(0, read)))
      if (isAll) break
    }
    return chunks.length === 1 ? (chunks[0] ?? new Uint8Array()) : Buffer.concat(chunks)
  } finally {
    fs.closeSync(fd)
  }
}
