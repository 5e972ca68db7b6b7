/**
 * A file is either the old one or the new one, whatever happens: temporary file in the same folder, mode and owner kept,
 * fsync, rename, fsync of the folder. Links are followed, so an edited file stays where its owner put it.
 */
import * as fs from 'node:fs'
import { dirname, basename, join } from 'node:path'
import type { WriteOptions } from './system.ts'

export function atomicWrite(path: string, content: string | Uint8Array, how: WriteOptions = {}): void {
  const target = resolveLink(path)
  const old = fs.statSync(target, { throwIfNoEntry: false })
  const temporary = join(dirname(target), `.${basename(target)}.handover-${process.pid}`)
  const fd = fs.openSync(temporary, 'w', 0o600)
  try {
    fs.writeFileSync(fd, content)
    const owner = how.owner ?? old
    if (owner && process.getuid?.() === 0) fs.fchownSync(fd, owner.uid, owner.gid)
    // After the owner: chown(2) clears the set-user-id bits.
    fs.fchmodSync(fd, how.mode ?? (old ? old.mode & 0o7777 : 0o644))
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

/** Adds to the end, creating the file (and making its name durable) when needed. */
export function appendDurably(path: string, text: string): void {
  const isNew = !fs.existsSync(path)
  const fd = fs.openSync(path, 'a', 0o600)
  try {
    fs.writeFileSync(fd, text)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  if (isNew) syncFolder(dirname(path))
}

export function removeDurably(path: string): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return
  fs.rmSync(path)
  syncFolder(dirname(path))
}

/** Creates missing folders from the top down, each name durable before the next is made. */
export function makeFolderDurably(path: string, mode?: number): void {
  if (fs.existsSync(path)) return
  makeFolderDurably(dirname(path), mode)
  fs.mkdirSync(path, mode === undefined ? {} : { mode })
  syncFolder(dirname(path))
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
