/**
 * Reading a file whole, up to a limit. Kernel attributes state a size of 4096 or 0 whatever they hold, so
 * size is not asked.
 */
import { closeSync, constants, fstatSync, openSync, readSync, readvSync } from 'node:fs'

export class TooLarge extends Error {}

const plainFlags = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * `how.follow` false: a link as the last part is an error (ELOOP). `how.isAttribute`: a short read is the
 * end, as in sysfs.
 */
export type ReadHow = { readonly follow: boolean; readonly isAttribute: boolean }

const longestRead = 65_536

/**
 * Files are read into one slab, one behind the other, and what is handed out are views of it: a host is
 * thousands of tiny files, and memory of its own for each costs more than the reading. A full slab is left to
 * those who hold views of it.
 */
let slab = new Uint8Array(8 * longestRead)
let used = 0

export function readCapped(path: string, limit: number, how: ReadHow): Uint8Array {
  const fd = openToRead(path, how)
  try {
    if (used + longestRead > slab.length) {
      slab = new Uint8Array(slab.length)
      used = 0
    }
    const room = slab.subarray(used, used + longestRead)
    const read = fill(room, fd, how)
    if (read > limit) throw new TooLarge()
    if (read === longestRead) return readOn(fd, limit, room)
    used += read
    return room.subarray(0, read)
  } finally {
    closeSync(fd)
  }
}

/** Texts are read into one place: a string is a copy. */
const textRoom = Buffer.allocUnsafeSlow(longestRead)

/** UTF-8; a byte order mark is no text. */
export function readTextCapped(path: string, limit: number, how: ReadHow): string {
  const fd = openToRead(path, how)
  try {
    const read = fill(textRoom, fd, how)
    if (read > limit) throw new TooLarge()
    if (read === longestRead) return new TextDecoder().decode(readOn(fd, limit, textRoom))
    return withoutMark(textRoom.toString('utf8', 0, read))
  } finally {
    closeSync(fd)
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

const head = new Uint8Array(longestRead)

/** At most 64 KiB. What it hands out is good until the next call. */
export function readHead(path: string, most: number, how: ReadHow): Uint8Array {
  const room = head.subarray(0, Math.min(most, head.length))
  const fd = openToRead(path, how)
  try {
    return room.subarray(0, fill(room, fd, how))
  } finally {
    closeSync(fd)
  }
}

function openToRead(path: string, how: ReadHow): number {
  return openSync(path, how.follow ? plainFlags : plainFlags | constants.O_NOFOLLOW)
}

/**
 * A long file, of which the beginning is read: into room for what its size says and a byte more, so that its
 * end shows.
 */
function readOn(fd: number, limit: number, beginning: Uint8Array): Uint8Array {
  let bytes = Buffer.allocUnsafeSlow(Math.max(2 * longestRead, Math.min(fstatSync(fd).size, limit) + 1))
  bytes.set(beginning)
  for (let length = beginning.length; ;) {
    const read = readSync(fd, bytes, length, bytes.length - length, null)
    length += read
    if (length > limit) throw new TooLarge()
    if (read === 0) return bytes.subarray(0, length)
    // Files of /proc state no size, and others may grow.
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, limit + 1))
  }
}

/**
 * Reads to the end of the file or of the room, which then says that it may go on. Most files take one read,
 * and `readvSync` has fewer arguments for Node to check, each in a call that leaves garbage.
 */
function fill(room: Uint8Array, fd: number, how: ReadHow): number {
  let read = readvSync(fd, [room])
  let length = read
  while (length < room.length && !isEnd(read, how)) {
    read = readSync(fd, room, length, room.length - length, null)
    length += read
  }
  return length
}

/** sysfs hands out at most a page at a time; less than that was all of it. */
function isEnd(read: number, how: ReadHow): boolean {
  return read === 0 || (how.isAttribute && read < 4096)
}
