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

/** `take` gets how many bytes stand in the slab at `used`; longer files come as bytes of their own. */
function readWith<T>(path: string, limit: number, how: ReadHow, take: (length: number) => T): T | Uint8Array {
  const fd = fs.openSync(path, how.follow ? plainFlags : plainFlags | fs.constants.O_NOFOLLOW)
  try {
    const first = fillSlab(fd, limit, how.isAttribute)
    if (first < longestRead) return take(first)
    return readOn(fd, limit, first)
  } finally {
    fs.closeSync(fd)
  }
}

/** A long file, of which the slab holds the beginning: into room for what its size says and a byte more, so that its end shows. */
function readOn(fd: number, limit: number, first: number): Uint8Array {
  let bytes = Buffer.allocUnsafeSlow(Math.max(2 * longestRead, Math.min(fs.fstatSync(fd).size, limit) + 1))
  slab.copy(bytes, 0, used, used + first)
  for (let length = first; ;) {
    const read = fs.readSync(fd, bytes, length, bytes.length - length, null)
    length += read
    if (length > limit) throw new TooLarge()
    if (read === 0) return bytes.subarray(0, length)
    // Files of /proc state no size, and others may grow.
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, limit + 1))
  }
}

/** Reads to the end of the file or of the room there is: as many bytes as `longestRead` say that it may go on. */
function fillSlab(fd: number, limit: number, isAttribute: boolean): number {
  if (used + longestRead > slab.length) {
    slab = Buffer.allocUnsafeSlow(slab.length)
    used = 0
  }
  let length = 0
  while (length < longestRead) {
    const read = fs.readSync(fd, slab, used + length, Math.min(longestRead - length, limit + 1 - length), null)
    length += read
    if (length > limit) throw new TooLarge()
    // sysfs hands out at most a page at a time; less than that was all of it.
    if (read === 0 || (isAttribute && read < 4096)) break
  }
  return length
}
