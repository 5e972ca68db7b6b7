/**
 * A file is either the old one or the new one, whatever happens: temporary file in the same folder, mode and owner kept,
 * fsync, rename, fsync of the folder. Links are followed, so an edited file stays where its owner put it.
 */
import * as fs from 'node:fs'
import { dirname, basename, join } from 'node:path'

export function atomicWrite(path: string, content: string | Uint8Array, mode?: number): void {
  const target = resolveLink(path)
  const old = fs.statSync(target, { throwIfNoEntry: false })
  const temporary = join(dirname(target), `.${basename(target)}.handover-${process.pid}`)
  const fd = fs.openSync(temporary, 'w', 0o600)
  try {
    fs.writeFileSync(fd, content)
    fs.fchmodSync(fd, mode ?? (old ? old.mode & 0o7777 : 0o644))
    if (old && process.getuid?.() === 0) fs.fchownSync(fd, old.uid, old.gid)
    fs.fsyncSync(fd)
  } catch (error) {
    fs.closeSync(fd)
    fs.rmSync(temporary, { force: true })
    throw error
  }
  fs.closeSync(fd)
  fs.renameSync(temporary, target)
  syncFolder(dirname(target))
}

export function syncFolder(path: string): void {
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function resolveLink(path: string): string {
  try {
    return fs.realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw error
  }
}
