/**
 * The lab's cache: what takes long to make, kept from run to run and shared by every checkout. An entry is a
 * folder named after the hash of everything that goes into it, so a run never finds a stale one. It is filled
 * aside and renamed, so a run never sees half of one, and a killed run leaves only a draft. Of two runs that
 * make the same entry, the first wins.
 */
import { sha256 } from './sha256.ts'
import { join } from 'node:path'
import type { System } from '../machine/system.ts'

export type CacheEntry = {
  /** A folder of the cache: entries of one kind replace each other in time. */
  readonly kind: string
  readonly key: string
}

/** Entries of one kind that stay: a few checkouts, or a few states of one. */
const keptEntries = 3

/** Nobody fills a draft or starts from an image for so long. */
const longestUseSeconds = 6 * 3600

export function keyOf(parts: readonly string[]): string {
  return sha256(JSON.stringify(parts)).slice(0, 24)
}

/** What a program does is part of what it makes; a hash of the file stands for it. */
export function programKey(system: System, name: string): string {
  const path = system.work.findProgram(name)
  return path === undefined ? `no ${name}` : system.work.sha256File(system.work.realPath(path))
}

/** The folder of the entry; `fill` writes its files when there is none yet. */
export async function cached(
  system: System,
  cache: string,
  { kind, key }: CacheEntry,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache, kind, key)
  if (system.work.exists(folder)) {
    system.work.touch(folder)
    return folder
  }
  const draft = system.work.makeDraftFolder(folder)
  try {
    await fill(draft)
    // A power cut must not leave a renamed folder without its bytes. Where sync has no -f, it may.
    await system.exec(['sync', '-f', draft], { timeoutSeconds: 300 })
    system.work.settleFolder(draft, folder)
  } finally {
    system.work.removeTree(draft)
  }
  system.work.touch(folder)
  forget(system, system.work.ensureFolder(join(cache, kind)), key)
  return folder
}

/** Removes what other runs left half-made, and all but the last used entries. */
function forget(system: System, folder: string, key: string): void {
  const old = system.work.listFoldersByAge(folder).filter(({ name }) => name !== key)
  const entries = old.filter(({ name }) => !name.includes('.draft-'))
  const surplus = new Set(entries.slice(keptEntries - 1).map(({ name }) => name))
  for (const { name, ageSeconds } of old)
    if (ageSeconds > longestUseSeconds && (surplus.has(name) || name.includes('.draft-')))
      system.work.removeTree(join(folder, name))
}
