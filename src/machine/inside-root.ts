/**
 * Paths inside a root folder: links are followed, but an absolute target starts at the root and `..` stops
 * there, as in a chroot. Folders already resolved are remembered for the rest of one synchronous stretch only
 * (reading a host is one), so nothing that changes between two awaits is ever answered from memory.
 */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

export type RootPaths = {
  /** Everything resolved, the last part too. */
  readonly file: (path: string) => string
  /** The folders on the way resolved, the last part as it stands. */
  readonly entry: (path: string) => string
  readonly folder: (path: string) => string
  /**
   * The same two for reading: ENOENT where a folder on the way is known not to be there, as in trees of /sys
   * alone.
   */
  readonly entryToRead: (path: string) => string
  readonly folderToRead: (path: string) => string
  /** Call before anything is changed. */
  readonly forget: () => void
}

export function rootPaths(root: string): RootPaths {
  const known = new Map<string, string>()
  const missing = new Set<string>()
  const links = linkFinder()
  let last: { readonly path: string; readonly resolved: string } | undefined
  let remembersNothing = true
  const folder = (path: string): string => {
    const remembered = known.get(path)
    if (remembered !== undefined) return remembered
    if (path === '' || path === '/') return root
    // Not queueMicrotask: Node compiles fifteen functions of its own for the first.
    if (remembersNothing) void Promise.resolve().then(forget)
    remembersNothing = false
    return resolveFolder(path)
  }
  /** For folders that others are in; of the thousands that hold files alone, `last` is enough. */
  const folderAbove = (path: string): string => {
    let resolved = known.get(path)
    if (resolved === undefined) known.set(path, (resolved = folder(path)))
    return resolved
  }
  const forget = () => {
    remembersNothing = true
    known.clear()
    missing.clear()
    last = undefined
    links.forget()
  }
  const resolveFolder = (path: string): string => {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (slash < 0 || name === '' || name === '.' || name === '..') return walk(root, path)
    const above = path.slice(0, slash)
    const parent = folderAbove(above)
    const here = `${parent}/${name}`
    const kind = missing.has(above) ? 'missing' : links.kindOf(parent, name, here)
    if (kind === 'missing') missing.add(path)
    return kind === 'link' ? walk(root, path) : here
  }
  // The files of one folder are nearly always asked for one after the other.
  const entry = (path: string): string => {
    const slash = path.lastIndexOf('/')
    if (last?.path.length !== slash || !path.startsWith(last.path)) {
      const parent = path.slice(0, Math.max(0, slash))
      last = { path: parent, resolved: folder(parent) }
    }
    return `${last.resolved}/${path.slice(slash + 1)}`
  }
  const entryToRead = (path: string): string => {
    const resolved = entry(path)
    if (missing.size > 0 && last !== undefined && missing.has(last.path)) throw notThere
    return resolved
  }
  const folderToRead = (path: string): string => {
    const resolved = folder(path)
    if (missing.has(path)) throw notThere
    return resolved
  }
  return { file: (path) => walk(root, path), entry, folder, entryToRead, folderToRead, forget }
}

/** One for all: what the kernel's answer costs is mostly the making of its error. */
const notThere = Object.assign(new Error('not there'), { code: 'ENOENT' })

/**
 * A folder asked about this often is listed: that costs as much as a few single questions, and leaves less
 * garbage. Those of PCI functions are short, and below a bridge every function will be asked for.
 */
const worthListing = (folder: string) => (folder.includes('/sys/devices/pci') ? 1 : 3)

type Kind = 'link' | 'missing' | 'other'

/** What is `name` in the resolved folder `parent`? `here` is both as one path. */
function linkFinder(): { kindOf: (parent: string, name: string, here: string) => Kind; forget: () => void } {
  /** How often was asked about a folder, or the links in it. */
  const known = new Map<string, number | ReadonlySet<string>>()
  const kindOf = (parent: string, name: string, here: string): Kind => {
    let asked = known.get(parent) ?? 0
    if (typeof asked === 'number') {
      asked = (asked + 1 === worthListing(parent) ? listLinks(parent) : undefined) ?? asked + 1
      known.set(parent, asked)
    }
    if (typeof asked === 'number') return kindHere(here)
    return asked.has(name) ? 'link' : 'other'
  }
  return { kindOf, forget: () => known.clear() }
}

const mayBeMissing = { throwIfNoEntry: false } as const

/** What the last part of `path` is, without the error that Node makes of what is missing. */
export function kindHere(path: string): Kind {
  const stat = lstatSync(path, mayBeMissing)
  return stat === undefined ? 'missing' : stat.isSymbolicLink() ? 'link' : 'other'
}

function listLinks(folder: string): ReadonlySet<string> | undefined {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return new Set(entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name))
  } catch {
    // It may be entered but not listed (mode 0711): each name is asked for, as before.
    return undefined
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
    const target = kindHere(here) === 'link' ? readlinkSync(here) : undefined
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
