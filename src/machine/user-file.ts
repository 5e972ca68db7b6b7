/**
 * Files a person names on the command line (a capture, a report) or that lie beside one they named
 * (home.lock). Root may be writing in a folder where others write, too: nothing here goes through a link, and
 * what stands in the way is replaced, never written into.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../base/errors.ts'

/**
 * All or nothing, under a name that nobody can have guessed (O_EXCL makes no file where a link is), then
 * renamed: rename(2) replaces a link that came meanwhile and does not follow it. The mode of an older file
 * stays, its owner does not.
 */
export function writeUserFile(path: string, content: string | Uint8Array): void {
  const mode = modeToKeep(path)
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`)
  let fd: number | undefined
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    fd = openSync(temporary, flags, 0o600)
    writeFileSync(fd, content)
    fchmodSync(fd, mode)
    fsyncSync(fd)
    renameSync(temporary, path)
  } catch (error) {
    if (fd !== undefined) rmSync(temporary, { force: true })
    throw notWritten(path, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function modeToKeep(path: string): number {
  const old = lookAt(path)
  if (old === undefined) return 0o644
  if (old.isSymbolicLink())
    throw new UsageError(
      `${path} is a link${targetOf(path)}, and nothing is written through a link`,
      'name the file itself, or remove the link first',
    )
  if (!old.isFile())
    throw new UsageError(
      `${path} is no regular file, so it cannot be replaced by one`,
      'name a file of its own',
    )
  return old.mode & 0o777
}

/** ` to FILE`; nothing where the link is gone again. */
function targetOf(path: string): string {
  try {
    return ` to ${readlinkSync(path)}`
  } catch {
    return '' // the message does without the target
  }
}

function lookAt(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw notWritten(path, error)
  }
}

function notWritten(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof UsageError || typeof code !== 'string') return error
  const help =
    code === 'ENOENT'
      ? `make the folder first: mkdir -p ${dirname(path)}`
      : 'name a place that can be written, with room on it'
  return new UsageError(`${path} cannot be written (${code})`, help)
}
