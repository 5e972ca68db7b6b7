/** A file tree as a list: the content of an image, and the input of its cache key. */
import type { System } from '../machine/system.ts'
import { sha256 } from './sha256.ts'
import { join } from 'node:path'
import { keyOf } from './cache.ts'

export type TreeEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly content: string | Uint8Array
      readonly mode?: number
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** A file of this machine, with its mode. */
  | { readonly kind: 'copy'; readonly path: string; readonly from: string }

/** Changes whenever any byte, mode or place in the tree does. */
export function treeKey(system: System, entries: readonly TreeEntry[]): string {
  return keyOf(entries.map((entry) => [entry.kind, entry.path, contentKey(system, entry)].join(' ')))
}

function contentKey(system: System, entry: TreeEntry): string {
  switch (entry.kind) {
    case 'folder':
      return ''
    case 'file':
      return `${entry.mode ?? 'plain'} ${sha256(entry.content)}`
    case 'link':
      return entry.target
    case 'copy':
      return `${system.work.fileMode(entry.from)} ${system.work.sha256File(entry.from)}`
  }
}

/** Paths are relative to `folder`; missing parent folders are added. */
export function writeTree(system: System, entries: readonly TreeEntry[], folder: string): void {
  for (const entry of entries) {
    const path = join(folder, entry.path)
    if (entry.kind === 'folder') system.work.ensureFolder(path)
    else if (entry.kind === 'file') system.work.putFile(path, entry.content, entry.mode)
    else if (entry.kind === 'link') system.work.putLink(path, entry.target)
    else system.work.copyFile(entry.from, path)
  }
}
