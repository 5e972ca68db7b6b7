/** A file tree as a list: what an image is made of, and so what its key in the cache is made of. */
import { join } from 'node:path'
import { copyFile, ensureFolder, fileMode, putFile, putLink, sha256, sha256File } from '../machine/work-folder.ts'
import { keyOf } from './cache.ts'

export type TreeEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** A file of this machine, with its mode. */
  | { readonly kind: 'copy'; readonly path: string; readonly from: string }

/** Changes whenever any byte, mode or place in the tree does. */
export function treeKey(entries: readonly TreeEntry[]): string {
  return keyOf(entries.map((entry) => [entry.kind, entry.path, contentKey(entry)].join(' ')))
}

function contentKey(entry: TreeEntry): string {
  switch (entry.kind) {
    case 'folder':
      return ''
    case 'file':
      return `${entry.mode ?? 'plain'} ${sha256(entry.content)}`
    case 'link':
      return entry.target
    case 'copy':
      return `${fileMode(entry.from)} ${sha256File(entry.from)}`
  }
}

/** Paths are relative to `folder`; missing parent folders are added. */
export function writeTree(entries: readonly TreeEntry[], folder: string): void {
  for (const entry of entries) {
    const path = join(folder, entry.path)
    if (entry.kind === 'folder') ensureFolder(path)
    else if (entry.kind === 'file') putFile(path, entry.content, entry.mode)
    else if (entry.kind === 'link') putLink(path, entry.target)
    else copyFile(entry.from, path)
  }
}
