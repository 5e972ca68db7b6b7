/**
 * Bytes of files as they were: taken before the first change, put back on rollback, checked by hash on the way in and
 * on the way back. What is to be put back after a command is judged in outputs.ts.
 */
import { AppError } from '../errors.ts'
import type { Reader, System } from '../system/system.ts'
import { journalFolder, type SavedFile } from './journal.ts'

/** Initramfs images are the largest thing saved; some weigh hundreds of MiB. */
const savedLimit = 1024 * 1024 * 1024

/** What was saved is not what is there to be put back. */
export class DamagedCopy extends AppError {}

/** Saves each path once, under the journal `id`. Throws when a file exists and cannot be read: without its bytes there is no way back. */
export async function saveFiles(system: System, id: string, paths: readonly string[]): Promise<SavedFile[]> {
  const saved: SavedFile[] = []
  for (const path of missingFolders(system, paths)) saved.push({ path, kind: 'no-folder' })
  for (const path of new Set(paths)) saved.push(await saveFile(system, { id, path, blob: String(saved.length) }))
  return saved
}

/** Folders above `paths` that do not exist yet, outermost first. */
function missingFolders(reader: Reader, paths: readonly string[]): string[] {
  const missing = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/').slice(1, -1)
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = `/${parts.slice(0, depth).join('/')}`
      const there = reader.list(folder)
      if (!there.ok && there.reason === 'absent') missing.add(folder)
    }
  }
  return [...missing].toSorted((a, b) => a.length - b.length)
}

async function saveFile(
  system: System,
  what: { readonly id: string; readonly path: string; readonly blob: string },
): Promise<SavedFile> {
  const { path, blob } = what
  const stat = system.stat(path)
  if (!stat.ok) {
    if (stat.reason === 'absent') return { path, kind: 'absent' }
    throw new AppError(`${path} cannot be read (${stat.code ?? stat.reason}), so it could not be put back later`)
  }
  if (stat.value.kind === 'link') {
    const target = system.readLink(path)
    if (target.ok) return { path, kind: 'link', target: target.value }
  }
  const bytes = system.readBytes(path, savedLimit)
  if (!bytes.ok) throw new AppError(`${path} cannot be read (${bytes.code ?? bytes.reason}); nothing was changed`)
  system.writeFile(`${journalFolder}/${what.id}/saved/${blob}`, bytes.value, { mode: 0o600 })
  const { mode, uid, gid } = stat.value
  return { path, kind: 'file', blob, sha256: await sha256(bytes.value), mode, uid, gid }
}

export async function sha256(bytes: Uint8Array | string): Promise<string> {
  const input = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(input))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 of each path as it is now; null when absent, `link:…` for a symbolic link. */
export async function hashOutputs(reader: Reader, paths: readonly string[]): Promise<Record<string, string | null>> {
  const hashes: Record<string, string | null> = {}
  for (const path of paths) hashes[path] = await hashNow(reader, path)
  return hashes
}

async function hashNow(reader: Reader, path: string): Promise<string | null> {
  const link = reader.readLink(path)
  if (link.ok) return `link:${link.value}`
  const bytes = reader.readBytes(path, savedLimit)
  if (bytes.ok) return sha256(bytes.value)
  if (bytes.reason === 'absent') return null
  return `unreadable:${bytes.code ?? bytes.reason}`
}

export async function isAsSaved(reader: Reader, saved: SavedFile): Promise<boolean> {
  if (saved.kind === 'no-folder') return !reader.list(saved.path).ok
  const now = await hashNow(reader, saved.path)
  if (saved.kind === 'absent') return now === null
  if (saved.kind === 'link') return now === `link:${saved.target}`
  if (now !== saved.sha256) return false
  const stat = reader.stat(saved.path)
  return stat.ok && stat.value.mode === saved.mode && stat.value.uid === saved.uid && stat.value.gid === saved.gid
}

/** Puts one file back byte for byte, mode and owner included, and looks again. Throws when the saved bytes are damaged. */
export async function restoreFile(system: System, id: string, saved: SavedFile): Promise<void> {
  if (await isAsSaved(system, saved)) return
  // A folder in which somebody keeps something now stays.
  if (saved.kind === 'no-folder') return system.removeFolder(saved.path)
  if (saved.kind === 'absent') system.remove(saved.path)
  else if (saved.kind === 'link') system.makeLink(saved.path, saved.target)
  else {
    const bytes = await readCopy(system, id, saved)
    // A generator may have left a link where a file was; writing through it would change the link's target.
    if (system.readLink(saved.path).ok) system.remove(saved.path)
    system.writeFile(saved.path, bytes, { mode: saved.mode, owner: { uid: saved.uid, gid: saved.gid } })
  }
  if (!(await isAsSaved(system, saved)))
    throw new AppError(`${saved.path} was put back and is not as before when read again`)
}

async function readCopy(reader: Reader, id: string, saved: Extract<SavedFile, { kind: 'file' }>): Promise<Uint8Array> {
  const blob = `${journalFolder}/${id}/saved/${saved.blob}`
  const bytes = reader.readBytes(blob, savedLimit)
  if (!bytes.ok) throw new DamagedCopy(`the saved bytes of ${saved.path} cannot be read from ${blob}`)
  if ((await sha256(bytes.value)) !== saved.sha256)
    throw new DamagedCopy(`the saved bytes of ${saved.path} in ${blob} are damaged; they were not put back`)
  return bytes.value
}
