/**
 * A disk whose world ends at its n-th call. Three ways to end:
 * `kill`: the process is gone, everything it did so far is there (SIGKILL);
 * `power`: besides, whatever was not synced is lost: data of unsynced files, and names in unsynced folders;
 * an errno: the call fails, once or from then on, and the program goes on.
 * fsync itself is only noted, which makes thousands of runs fast.
 */
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { realDisk, type Disk } from '../../src/machine/disk.ts'

export class WorldEnd extends Error {}

export type Ending =
  | { readonly kind: 'kill' | 'power' }
  | {
      readonly kind: 'errno'
      readonly code: string
      readonly lasting: boolean
      readonly only?: (path: string) => boolean
    }

export type BreakingDisk = {
  readonly disk: Disk
  /** A point outside the disk (an attribute write, a program) where the world may end, too. */
  readonly point: () => void
  readonly count: () => number
  readonly isDead: () => boolean
}

/** Ends at call number `at` (counted from 1); never when `at` is 0. */
export function breakingDisk(at: number, ending: Ending): BreakingDisk {
  let calls = 0
  let dead = false
  const paths = new Map<number, string>()
  const unsynced = new Map<string, number>()
  const undo: { folder: string; revert: () => void }[] = []

  const end = () => {
    dead = true
    if (ending.kind === 'power') {
      for (const [path, size] of unsynced) if (fs.existsSync(path)) fs.truncateSync(path, size)
      for (const { revert } of undo.toReversed()) revert()
    }
    throw new WorldEnd()
  }
  const tick = (path = '') => {
    if (dead) throw new WorldEnd()
    calls += 1
    if (at === 0) return
    if (ending.kind !== 'errno') {
      if (calls === at) end()
      return
    }
    if (ending.only && !ending.only(path)) return
    if (calls === at || (ending.lasting && calls > at))
      throw Object.assign(new Error(`${ending.code}: broken on purpose`), { code: ending.code })
  }
  const remember = (path: string, revert: () => void) => undo.push({ folder: dirname(path), revert })
  const disk: Disk = {
    open: (path, how) => {
      if (how !== 'read') tick(path)
      const old = fs.existsSync(path) ? fs.statSync(path).size : undefined
      const fd = realDisk.open(path, how)
      paths.set(fd, path)
      if (how === 'read') return fd
      if (old === undefined) remember(path, () => fs.rmSync(path, { force: true }))
      if (!unsynced.has(path)) unsynced.set(path, how === 'append' ? (old ?? 0) : 0)
      return fd
    },
    write: (fd, content) => {
      const path = paths.get(fd) ?? ''
      tick(path)
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      const half = Math.floor(bytes.length / 2)
      realDisk.write(fd, bytes.subarray(0, half))
      tick(path)
      realDisk.write(fd, bytes.subarray(half))
    },
    // The programs that carry them would make thousands of runs slow; they are shown in
    // file-attributes.test.ts.
    carryAttributes: () => undefined,
    readAttributes: () => undefined,
    setMode: (fd, mode) => {
      tick(paths.get(fd))
      realDisk.setMode(fd, mode)
    },
    setOwner: (fd, uid, gid) => {
      tick(paths.get(fd))
      realDisk.setOwner(fd, uid, gid)
    },
    sync: (fd) => {
      const path = paths.get(fd) ?? ''
      tick(path)
      unsynced.delete(path)
      for (let index = undo.length - 1; index >= 0; index -= 1)
        if (undo[index]?.folder === path) undo.splice(index, 1)
    },
    // A descriptor is closed even in a dead world: the kernel does it.
    close: (fd) => realDisk.close(fd),
    rename: (from, to) => {
      tick(to)
      const old = fs.lstatSync(to, { throwIfNoEntry: false })
      const bytes = old?.isFile() ? fs.readFileSync(to) : undefined
      const target = old?.isSymbolicLink() ? fs.readlinkSync(to) : undefined
      realDisk.rename(from, to)
      const unsyncedSize = unsynced.get(from)
      if (unsyncedSize !== undefined) unsynced.set(to, unsyncedSize)
      unsynced.delete(from)
      remember(to, () => {
        fs.renameSync(to, from)
        if (bytes && old) restore(to, bytes, old)
        if (target !== undefined) fs.symlinkSync(target, to)
      })
    },
    unlink: (path) => {
      tick(path)
      const old = fs.lstatSync(path, { throwIfNoEntry: false })
      const bytes = old?.isFile() ? fs.readFileSync(path) : undefined
      realDisk.unlink(path)
      if (bytes && old) remember(path, () => restore(path, bytes, old))
    },
    makeFolder: (path, mode) => {
      tick(path)
      realDisk.makeFolder(path, mode)
      remember(path, () => fs.rmSync(path, { recursive: true, force: true }))
    },
    removeFolder: (path) => {
      tick(path)
      realDisk.removeFolder(path)
      remember(path, () => fs.mkdirSync(path))
    },
    makeLink: (path, target) => {
      tick(path)
      realDisk.makeLink(path, target)
      remember(path, () => fs.rmSync(path, { force: true }))
    },
  }
  return { disk, point: () => tick(), count: () => calls, isDead: () => dead }
}

function restore(path: string, bytes: Buffer, old: fs.Stats): void {
  fs.writeFileSync(path, bytes)
  fs.chmodSync(path, old.mode & 0o7777)
  if (process.getuid?.() === 0) fs.chownSync(path, old.uid, old.gid)
  fs.utimesSync(path, old.atime, old.mtime)
}
