/**
 * The real machine, or a file tree shaped like one (`--root`): the only implementation of System that touches anything.
 */
import * as fs from 'node:fs'
import { isAbsolute, join, dirname, resolve } from 'node:path'
import { AppError } from '../errors.ts'
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
import { realDisk, type Disk } from './disk.ts'
import { exec } from './exec.ts'
import { takeLock } from './lock.ts'
import { connect, signal, start } from './process.ts'
import type { FileStat, ReadFailure, ReadResult, System } from './system.ts'

const defaultLimit = 1024 * 1024

/** `disk` is for tests that end the world in the middle of a write. */
export function linuxSystem(options: { readonly root?: string; readonly disk?: Disk } = {}): System {
  const disk = options.disk ?? realDisk
  const root = options.root === undefined || options.root === '/' ? '' : resolve(options.root)
  // Inside a root, absolute link targets must not lead out of it, so links are walked by hand there.
  const inside = (path: string): string => (root === '' ? path : walk(root, path))
  const plain = (path: string): string =>
    root === '' ? path : join(walk(root, dirname(path)), path.slice(dirname(path).length))
  return {
    live: root === '',
    readText: (path, limit) => {
      const bytes = attempt(() => readCapped(inside(path), limit ?? defaultLimit))
      return bytes.ok ? { ok: true, value: new TextDecoder().decode(bytes.value) } : bytes
    },
    readBytes: (path, limit) => attempt(() => readCapped(inside(path), limit ?? defaultLimit)),
    list: (path) => attempt(() => fs.readdirSync(inside(path)).sort()),
    readLink: (path) => attempt(() => fs.readlinkSync(plain(path))),
    realPath: (path) =>
      attempt(() => {
        const real = fs.realpathSync(inside(path))
        return root === '' ? real : real.slice(root.length) || '/'
      }),
    stat: (path) => attempt(() => statOf(plain(path))),
    env: (name) => process.env[name],
    exec,
    start,
    connect,
    signal,
    writeFile: (path, content, how) => atomicWrite(inside(path), content, how, disk),
    writeAttribute: (path, text) => writeAttribute(inside(path), path, text),
    writeAttributeWithin: (path, text, seconds) => writeAttributeWithin(inside(path), path, { text, seconds }),
    appendFile: (path, text) => appendDurably(inside(path), text, disk),
    lock: (path, what) => takeLock(inside(path), what),
    flush: (path) => flush(inside(path), disk),
    remove: (path) => removeDurably(plain(path), disk),
    makeFolder: (path, mode) => makeFolderDurably(inside(path), mode, disk),
    removeFolder: (path) => removeFolderDurably(plain(path), disk),
    makeLink: (path, target) => linkDurably(plain(path), target, disk),
    removeLeftovers: (path) => removeLeftovers(inside(path), disk),
    now: () => new Date(),
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
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

class TooLarge extends Error {}

/** Kernel attributes state a size of 4096 or 0 whatever they hold, so this reads until the end, not until `size`. */
function readCapped(path: string, limit: number): Uint8Array {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  try {
    const chunks: Uint8Array[] = []
    let total = 0
    for (;;) {
      const chunk = new Uint8Array(Math.min(65_536, limit + 1 - total))
      const read = fs.readSync(fd, chunk, 0, chunk.length, null)
      if (read === 0) break
      total += read
      if (total > limit) throw new TooLarge()
      chunks.push(chunk.subarray(0, read))
    }
    return chunks.length === 1 ? (chunks[0] ?? new Uint8Array()) : Buffer.concat(chunks)
  } finally {
    fs.closeSync(fd)
  }
}

function statOf(path: string): FileStat {
  const stat = fs.lstatSync(path)
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other'
  return { kind, mode: stat.mode & 0o7777, size: stat.size, uid: stat.uid, gid: stat.gid }
}

function writeAttribute(path: string, shown: string, text: string): void {
  const fd = fs.openSync(path, 'w')
  try {
    fs.writeSync(fd, text)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error'
    throw new AppError(`the kernel answered ${code} to ${JSON.stringify(text)} for ${shown}`, { cause: error })
  } finally {
    fs.closeSync(fd)
  }
}

// cat writes a short input in one write(2) and names the kernel's error; the shell's own printf only says "I/O error".
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
      help: 'a program still uses the device; the kernel finishes by itself when that program ends',
    })
  if (result.status === 66) throw new AppError(`${shown} does not exist`)
  if (result.status !== 0) {
    const said = result.stderr.trim().split(': ').at(-1) ?? ''
    throw new AppError(`the kernel refused ${written} for ${shown}: ${said}`)
  }
}

/** Resolves `path` inside `root`, keeping absolute link targets inside; at most 40 links, as the kernel does. */
function walk(root: string, path: string): string {
  let pending = path.split('/').filter(Boolean)
  let done: string[] = []
  let links = 0
  while (pending.length > 0) {
    const part = pending.shift() ?? ''
    if (part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const here = join(root, ...done, part)
    const target = fs.lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() ? fs.readlinkSync(here) : undefined
    if (target === undefined) {
      done.push(part)
      continue
    }
    links += 1
    if (links > 40) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    if (isAbsolute(target)) done = []
    pending = [...target.split('/').filter(Boolean), ...pending]
  }
  return join(root, ...done)
}
