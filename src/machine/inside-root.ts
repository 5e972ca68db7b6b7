/**
 * Resolves paths inside a root folder as chroot(2) does: the target of an absolute link starts at the root,
 * and `..` stops there. Resolved folders are remembered only until the next await, so a change between two
 * awaits is always seen. Reading a host has no await.
 */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

export type RootPaths = {
  /** Resolves all links, also in the last part. */
  readonly file: (path: string) => string
  /** Resolves the links in all parts but the last. */
  readonly entry: (path: string) => string
  readonly folder: (path: string) => string
  /** Like `entry` and `folder`, but throw ENOENT when a folder of the path does not exist. */
  readonly entryToRead: (path: string) => string
  readonly folderToRead: (path: string) => string
  /** To be called before every change. */
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

/** Remembers resolved folders until the next await. */
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
    // The first call of queueMicrotask is slower, since Node compiles its implementation then.
    if (this.#remembersNothing) void Promise.resolve().then(() => this.forget())
    this.#remembersNothing = false
    return this.#resolve(path)
  }

  /** Remembers the last folder, since callers usually read the files of a folder one after another. */
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

  /** Remembers folders that contain other folders. */
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

/** One error for all cases, since creating an error is slow. */
const notThere = Object.assign(new Error('not there'), { code: 'ENOENT' })

/**
 * After this many questions about names in a folder, the whole folder is listed, which is faster than more
 * questions. Folders of PCI functions are short, and readers need all functions below a bridge.
 */
const worthListing = (folder: string) => (folder.includes('/sys/devices/pci') ? 1 : 3)

type Kind = 'link' | 'missing' | 'other'

/** `here` is the path of `name` in the resolved folder `parent`. */
function linkFinder(): { kindOf: (parent: string, name: string, here: string) => Kind; forget: () => void } {
  /** By folder: the number of questions about it, or, once it is listed, the links in it. */
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

/** Creates no error for a missing path, since that is slow. */
export function kindHere(path: string): Kind {
  const stat = lstatSync(path, mayBeMissing)
  return stat === undefined ? 'missing' : stat.isSymbolicLink() ? 'link' : 'other'
}

function listLinks(folder: string): ReadonlySet<string> | undefined {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return new Set(entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name))
  } catch {
    // A folder of mode 0711 cannot be listed, but its names can be looked up one by one.
    return undefined
  }
}

/** Follows at most 40 links, as the kernel does (MAXSYMLINKS). */
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
