/** Entries as a tree in memory, with some of them gone, closed or replaced. */
import { addToTree, emptyTree, treeReader, type TreeNode } from '../../../src/sources/tree.ts'
import type { Reader } from '../../../src/machine/system.ts'

export type Damage = {
  readonly how: 'removed' | 'unreadable' | 'of an unknown kind'
  /** Entries, and folders with all that is in them. */
  readonly paths: readonly string[]
  /** What the entries say instead. */
  readonly instead?: string
}

export function readerOf(entries: ReadonlyMap<string, string | Uint8Array>, damage?: Damage): Reader {
  const tree = emptyTree()
  const isDamaged = (path: string): boolean =>
    damage?.paths.some((one) => path === one || path.startsWith(`${one}/`)) === true
  for (const [path, value] of entries) {
    if (isDamaged(path)) continue
    if (path.endsWith('/')) addToTree(tree, path.slice(0, -1), emptyTree())
    else addToTree(tree, path, nodeOf(value))
  }
  if (damage?.how === 'unreadable')
    for (const path of damage.paths) addToTree(tree, path, { kind: 'unreadable', code: 'EACCES' })
  if (damage?.instead !== undefined)
    for (const path of damage.paths) addToTree(tree, path, nodeOf(damage.instead))
  return treeReader(tree)
}

function nodeOf(value: string | Uint8Array): TreeNode {
  if (typeof value !== 'string') return { kind: 'file', bytes: value }
  if (value.startsWith('-> ')) return { kind: 'link', target: value.slice(3) }
  return { kind: 'file', bytes: new TextEncoder().encode(value) }
}
