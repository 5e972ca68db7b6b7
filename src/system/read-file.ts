/** Reading a file whole, up to a limit. Kernel attributes state a size of 4096 or 0 whatever they hold, so size is not asked. */
import * as fs from 'node:fs'

export class TooLarge extends Error {}

const plainFlags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK

/** `how.follow` false: a link as the last part is an error (ELOOP). `how.isAttribute`: a short read is the end, as in sysfs. */
export type ReadHow = { readonly follow: boolean; readonly isAttribute: boolean }

const longestRead = 65_536

/**
 * Files are read into one slab, one behind the other, and what is handed out are views of it: a host is thousands of tiny
 * files, and memory of its own for each costs more than the reading. A full slab is left to those who hold views of it.
 */
let slab: Buffer = Buffer.allocUnsafeSlow(8 * longestRead)
let used = 0

export function readCapped(path: string, limit: number, how: ReadHow): Uint8Array {
  return readWith(path, limit, how, (read) => {
    used += read
    return slab.subarray(used - read, used)
  })
}

/** UTF-8; a byte order mark is no text. */
export function readTextCapped(path: string, limit: number, how: ReadHow): string {
  const text = readWith<string | Uint8Array>(path, limit, how, (read) => slab.toString('utf8', used, used + read))
  return typeof text === 'string' ? withoutMark(text) : new TextDecoder().decode(text)
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** `take` gets what one read brought, standing in the slab at `used`; longer files come as bytes of their own. */
function readWith<T>(path: string, limit: number, how: ReadHow, take: (read: number) => T): T | Uint8Array {
  const fd = fs.openSync(path, how.follow ? plainFlags : plainFlags | fs.constants.O_NOFOLLOW)
  try {
    const first = readPart(fd, limit, 0)
    if (isLast(first, how)) return take(first)
    const chunks = [Buffer.from(slab.subarray(used, used + first))]
    for (let total = first; ;) {
      const read = readPart(fd, limit, total)
      total += read
      chunks.push(Buffer.from(slab.subarray(used, used + read)))
      if (isLast(read, how)) return Buffer.concat(chunks, total)
    }
  } finally {
    fs.closeSync(fd)
  }
}

function readPart(fd: number, limit: number, total: number): number {
  if (used + longestRead > slab.length) {
    slab = Buffer.allocUnsafeSlow(slab.length)
    used = 0
  }
  const read = fs.readSync(fd, slab, used, Math.min(longestRead, limit + 1 - total), null)
  if (total + read > limit) throw new TooLarge()
  return read
}

/** sysfs hands out at most a page at a time; less than that was all of it. */
function isLast(read: number, how: ReadHow): boolean {
  return read === 0 || (how.isAttribute && read < 4096)
}
