/**
 * Paths inside a root folder: links are followed, but an absolute target starts at the root and `..` stops there, as in a
 * chroot. Folders already resolved are remembered for the rest of one synchronous stretch only (reading a host is one),
 * so nothing that changes between two awaits is ever answered from memory.
 */
import * as fs from 'node:fs'
import { isAbsolute, join } from 'node:path'

export type RootPaths = {
  /** Everything resolved, the last part too. */
  readonly file: (path: string) => string
  /** The folders on the way resolved, the last part as it stands. */
  readonly entry: (path: string) => string
  readonly folder: (path: string) => string
  /** Call before anything is changed. */
  readonly forget: () => void
}

export function rootPaths(root: string): RootPaths {
  const known = new Map<string, string>()
  const links = linkFinder()
  const folder = (path: string): string => {
    if (path === '' || path === '/') return root
    const remembered = known.get(path)
    if (remembered !== undefined) return remembered
    if (known.size === 0) queueMicrotask(forget)
    const resolved = resolveFolder(path)
    known.set(path, resolved)
    return resolved
  }
  const forget = () => {
    known.clear()
    links.forget()
  }
  const resolveFolder = (path: string): string => {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (slash < 0 || name === '' || name === '.' || name === '..') return walk(root, path)
    const here = `${folder(path.slice(0, slash))}/${name}`
    return links.isLink(here) ? walk(root, path) : here
  }
  const entry = (path: string): string => {
    const slash = path.lastIndexOf('/')
    return `${folder(path.slice(0, Math.max(0, slash)))}/${path.slice(slash + 1)}`
  }
  return { file: (path) => walk(root, path), entry, folder, forget }
}

/** A folder asked about this often is listed, which costs as much as some ten single questions. */
const worthListing = 12

/** Is the last part of a resolved path a link? */
function linkFinder(): { isLink: (path: string) => boolean; forget: () => void } {
  const asked = new Map<string, number>()
  const listed = new Map<string, ReadonlySet<string>>()
  const isLink = (path: string): boolean => {
    const slash = path.lastIndexOf('/')
    const parent = path.slice(0, slash)
    const count = (asked.get(parent) ?? 0) + 1
    asked.set(parent, count)
    if (count === worthListing) listLinks(parent, listed)
    const links = listed.get(parent)
    if (links) return links.has(path.slice(slash + 1))
    return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  }
  const forget = () => {
    asked.clear()
    listed.clear()
  }
  return { isLink, forget }
}

function listLinks(folder: string, listed: Map<string, ReadonlySet<string>>): void {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true })
    listed.set(folder, new Set(entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name)))
  } catch {
    // It may be entered but not listed (mode 0711): each name is asked for, as before.
  }
}

/** Resolves `path` inside `root`; at most 40 links, as the kernel does. */
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
