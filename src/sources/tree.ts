/**
 * A Reader for a file tree in memory (an unpacked archive, a umockdev recording, a host built by a test). The
 * caller who fills the tree must limit its size.
 */
import type { FileStat, Reader, ReadFailure, ReadResult } from '../machine/system.ts'

export type TreeNode =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly target: string }
  /** A file whose reading failed when it was recorded: the kernel's error name, or `too-large`. */
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'directory'; readonly entries: Map<string, TreeNode> }

export type Tree = Extract<TreeNode, { kind: 'directory' }>

const defaultLimit = 1024 * 1024
/** Far deeper than any path of sysfs. The limit stops a hostile archive from using all memory. */
const maxDepth = 64
const maxLinks = 40

export function emptyTree(): Tree {
  return { kind: 'directory', entries: new Map() }
}

/**
 * Adds a file or link, with the folders above it. False if the path leads out of the tree, is too deep, or
 * has a part that is not a folder.
 */
export function addToTree(tree: Tree, path: string, node: TreeNode): boolean {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const name = parts.pop()
  if (name === undefined || name === '..' || parts.length >= maxDepth) return false
  let folder = tree
  for (const part of parts) {
    if (part === '..') return false
    let next = folder.entries.get(part)
    if (next === undefined) {
      next = emptyTree()
      folder.entries.set(part, next)
    }
    if (next.kind !== 'directory') return false
    folder = next
  }
  if (node.kind === 'directory' && folder.entries.get(name)?.kind === 'directory') return true
  folder.entries.set(name, node)
  return true
}

export function treeReader(tree: Tree): Reader {
  const found = <T>(
    path: string,
    followLast: boolean,
    read: (walked: Walked) => ReadResult<T>,
  ): ReadResult<T> => {
    const walked = walk(tree, path, followLast)
    return walked.ok ? read(walked.value) : walked
  }
  const readBytes = (path: string, limit = defaultLimit) =>
    found(path, true, ({ node }) => bytesOf(node, limit))
  return {
    live: false,
    readBytes,
    readText: (path, limit) => {
      const bytes = readBytes(path, limit)
      return bytes.ok ? { ok: true, value: new TextDecoder().decode(bytes.value) } : bytes
    },
    list: (path) => found(path, true, ({ node }) => namesIn(node)),
    readLink: (path) => found(path, false, ({ node }) => targetOf(node)),
    realPath: (path) => found(path, true, ({ parts }) => ({ ok: true, value: `/${parts.join('/')}` })),
    stat: (path) => found(path, false, ({ node }) => ({ ok: true, value: statOf(node) })),
    env: () => undefined,
  }
}

function bytesOf(node: TreeNode, limit: number): ReadResult<Uint8Array> {
  if (node.kind === 'unreadable') return failureOf(node.code)
  if (node.kind !== 'file') return { ok: false, reason: 'not-a-file', code: 'EISDIR' }
  return node.bytes.length > limit ? { ok: false, reason: 'too-large' } : { ok: true, value: node.bytes }
}

function namesIn(node: TreeNode): ReadResult<readonly string[]> {
  if (node.kind === 'unreadable') return failureOf(node.code)
  return node.kind === 'directory' ? { ok: true, value: [...node.entries.keys()].sort() } : absent('ENOTDIR')
}

function targetOf(node: TreeNode): ReadResult<string> {
  if (node.kind === 'unreadable') return failureOf(node.code)
  return node.kind === 'link'
    ? { ok: true, value: node.target }
    : { ok: false, reason: 'not-a-file', code: 'EINVAL' }
}

function absent(code: string): ReadFailure {
  return { ok: false, reason: 'absent', code }
}

function failureOf(code: string): ReadFailure {
  return code === 'too-large' ? { ok: false, reason: 'too-large' } : { ok: false, reason: 'unreadable', code }
}

function statOf(node: TreeNode): FileStat {
  const size = node.kind === 'file' ? node.bytes.length : 0
  const mode = node.kind === 'file' ? (node.mode ?? 0o644) : node.kind === 'link' ? 0o777 : 0o755
  return { kind: node.kind === 'unreadable' ? 'file' : node.kind, mode, size, uid: 0, gid: 0, links: 1 }
}

type Walked = { readonly node: TreeNode; readonly parts: readonly string[] }

/**
 * Follows links inside the tree. An absolute target starts at the root of the tree, and `..` stops there, as
 * in a chroot.
 */
function walk(tree: Tree, path: string, followLast: boolean): ReadResult<Walked> {
  const pending = path.split('/').reverse()
  const entered: { readonly name: string; readonly node: TreeNode }[] = []
  let links = 0
  while (pending.length > 0) {
    const part = pending.pop() ?? ''
    if (part === '' || part === '.') continue
    const here = entered.at(-1)?.node ?? tree
    if (here.kind === 'unreadable') return failureOf(here.code)
    if (here.kind !== 'directory') return absent('ENOTDIR')
    if (part === '..') {
      entered.pop()
      continue
    }
    const next = here.entries.get(part)
    if (next === undefined) return absent('ENOENT')
    const isLast = !pending.some((rest) => rest !== '' && rest !== '.')
    if (next.kind !== 'link' || (isLast && !followLast)) {
      entered.push({ name: part, node: next })
      continue
    }
    links += 1
    if (links > maxLinks || pending.length > 4096) return { ok: false, reason: 'unreadable', code: 'ELOOP' }
    if (next.target.startsWith('/')) entered.length = 0
    pending.push(...next.target.slice(0, 4096).split('/').reverse())
  }
  return { ok: true, value: { node: entered.at(-1)?.node ?? tree, parts: entered.map((step) => step.name) } }
}
