/**
 * Replaces a file so that a crash leaves either the old or the new one: it writes a temporary file in the
 * same folder with the mode, owner and security context of the old file, then fsync, rename, and fsync of the
 * folder. Links are followed, so the file behind a link is replaced, not the link.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, basename, join } from 'node:path'
import { realDisk, type Disk } from './disk.ts'
import type { WriteOptions } from './system.ts'

/**
 * `like`: the resolved path of the file whose ACLs and attributes the new file gets, and its path in
 * messages.
 */
export type AtomicOptions = Omit<WriteOptions, 'attributesOf'> & {
  readonly like?: { readonly path: string; readonly shown: string }
}

export function atomicWrite(
  path: string,
  content: string | Uint8Array,
  how: AtomicOptions = {},
  disk: Disk = realDisk,
): void {
  const target = resolveLink(path)
  const old = statSync(target, { throwIfNoEntry: false })
  const temporary = join(dirname(target), `${temporaryPrefix(target)}${process.pid}`)
  try {
    writeTemporary(temporary, disk, (fd) => {
      disk.write(fd, content)
      const owner = how.owner ?? old
      if (owner && process.getuid?.() === 0) disk.setOwner(fd, owner.uid, owner.gid)
      // After the owner and the bytes, since chown(2) and write(2) remove capabilities.
      if (how.like) disk.carryAttributes(how.like.path, temporary, how.like.shown)
      else if (old) keepContext(target, temporary)
      // Last, since chown(2) clears the set-user-id bits, and an ACL contains the mode.
      disk.setMode(fd, how.mode ?? (old ? old.mode & 0o7777 : 0o644))
      disk.sync(fd)
    })
    how.check?.()
    disk.rename(temporary, target)
  } catch (error) {
    tryToRemove(temporary, disk)
    throw error
  }
  syncFolder(dirname(target), disk)
}

function writeTemporary(path: string, disk: Disk, fill: (fd: number) => void): void {
  const fd = disk.open(path, 'create')
  try {
    fill(fd)
  } finally {
    disk.close(fd)
  }
}

/** The prefix does not depend on the process, so that a later one finds the files of a process that died. */
function temporaryPrefix(target: string): string {
  return `.${basename(target)}.handover-`
}

/** Removes the temporary files beside `path` of processes that died during a write. */
export function removeLeftovers(path: string, disk: Disk = realDisk): void {
  const target = resolveLink(path)
  const folder = dirname(target)
  if (!existsSync(folder)) return
  const names = readdirSync(folder).filter((name) => name.startsWith(temporaryPrefix(target)))
  for (const name of names) disk.unlink(join(folder, name))
  if (names.length > 0) syncFolder(folder, disk)
}

function tryToRemove(path: string, disk: Disk): void {
  try {
    disk.unlink(path)
  } catch {
    // The first failure is the one to report; removeLeftovers finds the file again.
  }
}

/**
 * On SELinux systems a new file gets the context of its folder, which may differ from that of the old file.
 */
function keepContext(target: string, temporary: string): void {
  if (!existsSync('/sys/fs/selinux/enforce')) return
  spawnSync('chcon', ['--reference', target, temporary], { stdio: 'ignore', timeout: 5000 })
}

/** Creates the file, and makes its name durable, when it does not exist. */
export function appendDurably(path: string, text: string, disk: Disk = realDisk): void {
  const isNew = !existsSync(path)
  const fd = disk.open(path, 'append')
  try {
    disk.write(fd, text)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  if (isNew) syncFolder(dirname(path), disk)
}

export function removeDurably(path: string, disk: Disk = realDisk): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return
  disk.unlink(path)
  syncFolder(dirname(path), disk)
}

/** Creates missing folders from the top down. Each name is durable before the next folder is created. */
export function makeFolderDurably(path: string, mode?: number, disk: Disk = realDisk): void {
  if (existsSync(path)) return
  makeFolderDurably(dirname(path), mode, disk)
  disk.makeFolder(path, mode)
  syncFolder(dirname(path), disk)
}

export function removeFolderDurably(path: string, disk: Disk = realDisk): void {
  if (!existsSync(path) || readdirSync(path).length > 0) return
  disk.removeFolder(path)
  syncFolder(dirname(path), disk)
}

/** Replaces the file or link at `path` by a symbolic link, atomically. */
export function linkDurably(path: string, target: string, disk: Disk = realDisk): void {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${process.pid}`)
  disk.unlink(temporary)
  disk.makeLink(temporary, target)
  disk.rename(temporary, path)
  syncFolder(dirname(path), disk)
}

function syncFolder(path: string, disk: Disk = realDisk): void {
  const fd = disk.open(path, 'read')
  try {
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
}

/** Makes a file of another program durable, before the journal records it: generators rarely call fsync. */
export function flush(path: string, disk: Disk = realDisk): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) syncFolder(path, disk)
    if (existsSync(dirname(path))) syncFolder(dirname(path), disk)
  } catch (error) {
    // The file system has no fsync(2), such as efivarfs, where a write is durable when it returns.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  }
}

function resolveLink(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw error
  }
}
