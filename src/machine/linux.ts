/** Implements System for the running machine and for a file tree that looks like one (`--root`). */
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../base/errors.ts'
import {
  appendDurably,
  atomicWrite,
  flush,
  linkDurably,
  makeFolderDurably,
  removeDurably,
  removeFolderDurably,
  removeLeftovers,
} from './atomic-write.ts'
import { checkpoint } from './checkpoint.ts'
import { realDisk, type Disk } from './disk.ts'
import { exec } from './exec.ts'
import { rootPaths, type RootPaths } from './inside-root.ts'
import { nodeNumber } from './node-number.ts'
import { showLink } from './show-link.ts'
import { showNetwork } from './show-network.ts'
import { systemJournal } from './system-journal.ts'
import { takeLock } from './lock.ts'
import { workFolder } from './work-folder.ts'
import { connect, signal, start } from './process.ts'
import { readCapped, readHead, readTextCapped, TooLarge, type ReadHow } from './read-file.ts'
import type { FileStat, Reader, ReadFailure, ReadResult, System } from './system.ts'

const defaultLimit = 1024 * 1024

/** `disk` is for tests that simulate a crash during a write. */
export function linuxSystem(options: { readonly root?: string; readonly disk?: Disk } = {}): System {
  const root = options.root === undefined || options.root === '/' ? '' : resolve(options.root)
  const places = placesIn(root)
  return {
    ...readerOf(root, places),
    ...(root === '' ? { log: systemJournal(), checkpoint } : { root }),
    ...writerOf(places, options.disk ?? realDisk),
    exec,
    start,
    connect,
    work: workFolder,
    signal,
    lock: (path, what) => takeLock(places.inside(path), what),
    now: () => new Date(),
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  }
}

type Places = {
  /**
   * Resolves links inside a root, so that no absolute link leads out of it. Undefined for the running
   * machine.
   */
  readonly paths: RootPaths | undefined
  /** Resolves all links, also in the last part. */
  readonly inside: (path: string) => string
  /** Keeps a link in the last part. */
  readonly plain: (path: string) => string
}

function placesIn(root: string): Places {
  const paths = root === '' ? undefined : rootPaths(root)
  if (paths === undefined) return { paths, inside: (path) => path, plain: (path) => path }
  const fresh = (find: (path: string) => string) => (path: string) => {
    paths.forget()
    return find(path)
  }
  return { paths, inside: fresh(paths.file), plain: fresh(paths.entry) }
}

function readerOf(root: string, { paths, inside }: Places): Omit<Reader, 'readAttributes'> {
  return {
    live: root === '',
    readText: (path, limit = defaultLimit) => attempt(() => readInside(paths, path, limit, readTextCapped)),
    readBytes: (path, limit = defaultLimit) => attempt(() => readInside(paths, path, limit, readCapped)),
    readHead: (path, most) => attempt(() => readInside(paths, path, most, readHead)),
    list: (path) => attempt(() => readdirSync(paths ? paths.folderToRead(path) : path).sort()),
    readLink: (path) => attempt(() => readlinkSync(paths ? paths.entryToRead(path) : path)),
    realPath: (path) =>
      attempt(() => {
        const real = realpathSync(inside(path))
        return root === '' ? real : real.slice(root.length) || '/'
      }),
    stat: (path) => attempt(() => statOf(paths ? paths.entryToRead(path) : path)),
    freeBytes: (path) => {
      const place = attempt(() => statfsSync(inside(path)))
      return place.ok ? place.value.bavail * place.value.bsize : undefined
    },
    env: (name) => process.env[name],
    ...(root === '' ? { showLink, showNetwork, nodeNumber } : {}),
  }
}

type Writer = Pick<
  System,
  | ('writeFile' | 'readAttributes' | 'writeAttribute' | 'writeAttributeWithin' | 'appendFile' | 'flush')
  | ('remove' | 'makeFolder' | 'removeFolder' | 'makeLink' | 'removeLeftovers')
>

function writerOf({ inside, plain }: Places, disk: Disk): Writer {
  return {
    writeFile: (path, content, how = {}) => {
      const { attributesOf, ...rest } = how
      const like =
        attributesOf === undefined ? {} : { like: { path: inside(attributesOf), shown: attributesOf } }
      atomicWrite(inside(path), content, { ...rest, ...like }, disk)
    },
    readAttributes: (path) => {
      const file = attempt(() => realpathSync(inside(path)))
      return file.ok ? disk.readAttributes(file.value) : undefined
    },
    writeAttribute: (path, text) => writeAttribute(inside(path), path, text),
    writeAttributeWithin: (path, text, seconds) =>
      writeAttributeWithin(inside(path), path, { text, seconds }),
    appendFile: (path, text) => appendDurably(inside(path), text, disk),
    flush: (path) => flush(inside(path), disk),
    remove: (path) => removeDurably(plain(path), disk),
    makeFolder: (path, mode) => makeFolderDurably(inside(path), mode, disk),
    removeFolder: (path) => removeFolderDurably(plain(path), disk),
    makeLink: (path, target) => linkDurably(plain(path), target, disk),
    removeLeftovers: (path) => removeLeftovers(inside(path), disk),
  }
}

type ReadPath<T> = (path: string, limit: number, how: ReadHow) => T

const attribute: ReadHow = { follow: true, isAttribute: true }
const plainFile: ReadHow = { follow: true, isAttribute: false }
const ownAttribute: ReadHow = { follow: false, isAttribute: true }
const ownFile: ReadHow = { follow: false, isAttribute: false }

function readInside<T>(paths: RootPaths | undefined, path: string, limit: number, read: ReadPath<T>): T {
  const how = path.startsWith('/sys/') ? attribute : plainFile
  if (!paths) return read(path, limit, how)
  try {
    return read(paths.entryToRead(path), limit, how === attribute ? ownAttribute : ownFile)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error
    return read(paths.file(path), limit, how)
  }
}

function attempt<T>(read: () => T): ReadResult<T> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): ReadFailure {
  if (error instanceof TooLarge) return { ok: false, reason: 'too-large' }
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) throw error
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENODEV' || code === 'ENXIO')
    return { ok: false, reason: 'absent', code }
  if (code === 'EISDIR' || code === 'EINVAL') return { ok: false, reason: 'not-a-file', code }
  return { ok: false, reason: 'unreadable', code }
}

function statOf(path: string): FileStat {
  const stat = lstatSync(path)
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other'
  const inode = `${stat.dev}:${stat.ino}`
  return {
    kind,
    mode: stat.mode & 0o7777,
    size: stat.size,
    uid: stat.uid,
    gid: stat.gid,
    links: stat.nlink,
    inode,
  }
}

function writeAttribute(path: string, shown: string, text: string): void {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, text)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error'
    throw new AppError(`the kernel refused ${JSON.stringify(text)} for ${shown}: ${code}`, {
      cause: error,
    })
  } finally {
    closeSync(fd)
  }
}

// cat writes a short input with one write(2) and reports the kernel's error; printf of the shell reports only
// "I/O error".
const attributeScript = '[ -e "$1" ] || exit 66; cat >"$1"'

async function writeAttributeWithin(
  path: string,
  shown: string,
  what: { readonly text: string; readonly seconds: number },
): Promise<void> {
  const written = JSON.stringify(what.text.trim())
  const result = await exec(['sh', '-c', attributeScript, 'sh', path], {
    input: what.text,
    timeoutSeconds: what.seconds,
  })
  if (result.timedOut)
    throw new AppError(`the kernel did not answer ${written} for ${shown} within ${what.seconds} seconds`, {
      help: 'a program still uses the device; the kernel completes the change when that program ends',
    })
  if (result.status === 66) throw new AppError(`${shown} does not exist`)
  if (result.status !== 0) {
    const said = result.stderr.trim().split(': ').at(-1) ?? ''
    throw new AppError(`the kernel refused ${written} for ${shown}: ${said}`)
  }
}
