/**
 * Reads whole files up to a limit. The size of a file is not used, since the kernel reports 4096 or 0 for
 * every attribute.
 */
import { closeSync, constants, fstatSync, openSync, readSync, readvSync } from 'node:fs'

export class TooLarge extends Error {}

const plainFlags = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * `follow` false: a link as the last part is an error (ELOOP). `isAttribute`: a short read is the end, as in
 * sysfs.
 */
export type ReadHow = { readonly follow: boolean; readonly isAttribute: boolean }

const longestRead = 65_536

/**
 * Files are read into one slab, one after another, and callers get views of it: a host has thousands of tiny
 * files, and allocating memory for each is slower than reading it. A full slab is replaced by a new one, and
 * its views stay valid.
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

/** Every text is read into this memory, since the string is a copy. */
const textRoom = Buffer.allocUnsafeSlow(longestRead)

/** Decodes UTF-8 and drops a byte order mark. */
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

/** Reads at most 64 KiB. The result is valid until the next call. */
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
 * Reads the rest of a long file whose beginning is read. The memory is one byte larger than the file, so that
 * the read at its end returns 0.
 */
function readOn(fd: number, limit: number, beginning: Uint8Array): Uint8Array {
  let bytes = Buffer.allocUnsafeSlow(Math.max(2 * longestRead, Math.min(fstatSync(fd).size, limit) + 1))
  bytes.set(beginning)
  for (let length = beginning.length; ;) {
    const read = readSync(fd, bytes, length, bytes.length - length, null)
    length += read
    if (length > limit) throw new TooLarge()
    if (read === 0) return bytes.subarray(0, length)
    // Files in /proc have size 0, and other files may grow.
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, limit + 1))
  }
}

/**
 * Reads until the end of the file or of `room`; a full `room` means that the file may be longer. `readvSync`
 * is faster than `readSync`, since Node checks fewer arguments.
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

/** sysfs returns at most one page for each read, so a shorter read is the end. */
function isEnd(read: number, how: ReadHow): boolean {
  return read === 0 || (how.isAttribute && read < 4096)
}
