/**
 * Writes files that the user names on the command line (a capture, a report), or that are beside such a file
 * (home.lock). Root may write in a folder where other users can write as well: no link is followed, and an
 * existing file is replaced, never written into.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
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
 * Writes a new file under a random name and renames it: O_EXCL never creates a file behind a link, and
 * rename(2) replaces a link instead of following it. The mode of the old file is kept, its owner is not.
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

/**
 * Creates a file with mode 0644, whole or not at all. Throws UsageError where something is there already,
 * with `instead` as what to do: link(2) never replaces a name.
 */
export function createUserFile(path: string, content: string, instead: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`)
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    const fd = openSync(temporary, flags, 0o600)
    try {
      writeFileSync(fd, content)
      fchmodSync(fd, 0o644)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new UsageError(`${path} is there already, and is not replaced`, instead)
    throw notWritten(path, error)
  } finally {
    rmSync(temporary, { force: true })
  }
}

function modeToKeep(path: string): number {
  const old = lookAt(path)
  if (old === undefined) return 0o644
  if (old.isSymbolicLink())
    throw new UsageError(
      `${path} is a link${targetOf(path)}, and handover does not write through links`,
      'name the file itself, or remove the link first',
    )
  if (!old.isFile())
    throw new UsageError(
      `${path} is not a regular file, so it is not replaced`,
      'name a regular file or a new one',
    )
  return old.mode & 0o777
}

/** ` to FILE`; empty when the link no longer exists. */
function targetOf(path: string): string {
  try {
    return ` to ${readlinkSync(path)}`
  } catch {
    // The link no longer exists.
    return ''
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
      : 'name a place that can be written and has free space'
  return new UsageError(`${path} cannot be written (${code})`, help)
}
