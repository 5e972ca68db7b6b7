/**
 * The calls that change a disk. Every durable write uses only these, so a test can simulate a crash before
 * and after each of them (test/apply/crash-matrix.test.ts).
 */
import { carryAttributes, readAttributes, type Attributes } from './attributes.ts'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'

export type Disk = {
  /**
   * `create` replaces a file that a dead process left, and never follows a link; `append` keeps the content;
   * `read` opens a file or a folder for `sync`.
   */
  open(path: string, how: 'create' | 'append' | 'read'): number
  write(fd: number, content: string | Uint8Array): void
  setMode(fd: number, mode: number): void
  setOwner(fd: number, uid: number, gid: number): void
  /** `shown` is the path in messages. */
  carryAttributes(from: string, to: string, shown: string): void
  readAttributes(path: string): Attributes | undefined
  sync(fd: number): void
  close(fd: number): void
  rename(from: string, to: string): void
  /** Removes a file or link, if it exists. */
  unlink(path: string): void
  makeFolder(path: string, mode?: number): void
  removeFolder(path: string): void
  makeLink(path: string, target: string): void
}

export const realDisk: Disk = {
  open: (path, how) =>
    how === 'create' ? create(path) : openSync(path, { append: 'a', read: 'r' }[how], 0o600),
  write: (fd, content) => writeFileSync(fd, content),
  setMode: (fd, mode) => fchmodSync(fd, mode),
  setOwner: (fd, uid, gid) => fchownSync(fd, uid, gid),
  carryAttributes,
  readAttributes,
  sync: (fd) => fsyncSync(fd),
  close: (fd) => closeSync(fd),
  rename: (from, to) => renameSync(from, to),
  unlink: (path) => rmSync(path, { force: true }),
  makeFolder: (path, mode) => {
    mkdirSync(path, mode === undefined ? {} : { mode })
  },
  removeFolder: (path) => rmdirSync(path),
  makeLink: (path, target) => symlinkSync(target, path),
}

/** O_EXCL never creates a file behind a link. */
function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    rmSync(path, { force: true })
    return openSync(path, 'wx', 0o600)
  }
}
