/** A file tree as comparable lines: kind, mode, owner, content; and the times, asked for separately. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'

export type TreeEntry = { readonly what: string; readonly mtimeMs: number }

/** Everything below `root` except the folders in `without` (their own entry included). */
export function snapshotTree(root: string, without: readonly string[] = []): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>()
  const visit = (path: string) => {
    if (without.includes(path)) return
    const full = join(root, path)
    const stat = fs.lstatSync(full)
    entries.set(path, { what: describeEntry(full, stat), mtimeMs: stat.isDirectory() ? 0 : stat.mtimeMs })
    if (stat.isDirectory())
      for (const name of fs.readdirSync(full).toSorted()) visit(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  visit('/')
  return entries
}

function describeEntry(full: string, stat: fs.Stats): string {
  const owner = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`
  if (stat.isSymbolicLink()) return `link → ${fs.readlinkSync(full)}`
  if (stat.isDirectory()) return `folder ${owner}`
  return `file ${owner} ${createHash('sha256').update(fs.readFileSync(full)).digest('hex').slice(0, 16)}`
}

/** Paths whose entry differs, with both sides. */
export function differences(a: Map<string, TreeEntry>, b: Map<string, TreeEntry>): string[] {
  const lines: string[] = []
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const before = a.get(path)?.what ?? 'absent'
    const after = b.get(path)?.what ?? 'absent'
    if (before !== after) lines.push(`${path}: ${before} ≠ ${after}`)
  }
  return lines.toSorted()
}
