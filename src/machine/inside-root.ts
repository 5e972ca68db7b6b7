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
  const places = new Places(root)
  return {
    file: (path) => walk(root, path),
    entry: (path) => places.entry(path),
    folder: (path) => places.folder(path),
    entryToRead: (path) => places.entryToRead(path),
    folderToRead: (path) => places.folderToRead(path),
    forget: () => places.forget(),
  }
}

/** Where folders really are, remembered until this turn of the event loop ends. */
class Places {
  readonly #root: string
  readonly #known = new Map<string, string>()
  readonly #missing = new Set<string>()
  readonly #links = linkFinder()
  #last: { readonly path: string; readonly resolved: string } | undefined
  #remembersNothing = true
  constructor(root: string) {
    this.#root = root
  }

  folder(path: string): string {
    const remembered = this.#known.get(path)
    if (remembered !== undefined) return remembered
    if (path === '' || path === '/') return this.#root
    // Not queueMicrotask: Node compiles fifteen functions of its own for the first.
    if (this.#remembersNothing) void Promise.resolve().then(() => this.forget())
    this.#remembersNothing = false
    return this.#resolve(path)
  }

  /** The files of one folder are nearly always asked for one after the other. */
  entry(path: string): string {
    const slash = path.lastIndexOf('/')
    if (this.#last?.path.length !== slash || !path.startsWith(this.#last.path)) {
      const parent = path.slice(0, Math.max(0, slash))
      this.#last = { path: parent, resolved: this.folder(parent) }
    }
    return `${this.#last.resolved}/${path.slice(slash + 1)}`
  }

  entryToRead(path: string): string {
    const resolved = this.entry(path)
    if (this.#missing.size > 0 && this.#last !== undefined && this.#missing.has(this.#last.path))
      throw notThere
    return resolved
  }

  folderToRead(path: string): string {
    const resolved = this.folder(path)
    if (this.#missing.has(path)) throw notThere
    return resolved
  }

  forget(): void {
    this.#remembersNothing = true
    this.#known.clear()
    this.#missing.clear()
    this.#last = undefined
    this.#links.forget()
  }

  /** Only folders that hold other folders are remembered; for a folder of files the last one is enough. */
  #folderAbove(path: string): string {
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const resolved = this.folder(path)
    this.#known.set(path, resolved)
    return resolved
  }

  #resolve(path: string): string {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (slash < 0 || name === '' || name === '.' || name === '..') return walk(this.#root, path)
    const above = path.slice(0, slash)
    const parent = this.#folderAbove(above)
    const here = `${parent}/${name}`
    const kind = this.#missing.has(above) ? 'missing' : this.#links.kindOf(parent, name, here)
    if (kind === 'missing') this.#missing.add(path)
    return kind === 'link' ? walk(this.#root, path) : here
  }
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
