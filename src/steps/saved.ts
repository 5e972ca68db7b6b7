/**
 * Saves the bytes of files before the first change, and restores them on rollback; a hash proves that the
 * copy is intact. outputs.ts decides which outputs of a command are restored.
 */
import { toHex } from '../pci/hex.ts'
import { AppError, exitCode } from '../base/errors.ts'
import type { Attributes } from '../machine/attributes.ts'
import type { FileStat, ReadResult, Reader, System } from '../machine/system.ts'
import { ChangedMeanwhile } from './changed-meanwhile.ts'
import type { Copies, Hashes } from './kind.ts'
import type { SavedFile } from './saved-file.ts'

/** The largest saved files are initramfs images, which can have hundreds of MiB. */
const savedLimit = 1024 * 1024 * 1024

/** The copy cannot be read, or does not have the bytes that were saved. */
export class DamagedCopy extends AppError {}

/**
 * Saves each path once, into `folder`. Throws when a file exists and cannot be read, since it could not be
 * restored.
 */
export async function saveFiles(
  system: System,
  folder: string,
  paths: readonly string[],
): Promise<SavedFile[]> {
  const saved: SavedFile[] = []
  for (const path of missingFolders(system, paths)) saved.push({ path, kind: 'no-folder' })
  for (const path of new Set(paths))
    saved.push(
      await saveFile(system, { path, copy: `${folder}/${saved.length}`, blob: String(saved.length) }),
    )
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
  what: { readonly path: string; readonly copy: string; readonly blob: string },
): Promise<SavedFile> {
  const { path, copy, blob } = what
  const stat = system.stat(path)
  if (!stat.ok) {
    if (stat.reason === 'absent') return { path, kind: 'absent' }
    throw new AppError(
      `${path} cannot be read (${stat.code ?? stat.reason}), so it could not be restored later`,
    )
  }
  if (stat.value.kind === 'link') {
    const target = system.readLink(path)
    const real = system.realPath(path)
    const behind = real.ok ? system.stat(real.value) : undefined
    if (behind?.ok) refuseManyNames(path, behind.value)
    if (target.ok) return { path, kind: 'link', target: target.value }
  }
  refuseManyNames(path, stat.value)
  const bytes = system.readBytes(path, savedLimit)
  if (!bytes.ok)
    throw new AppError(`${path} cannot be read (${bytes.code ?? bytes.reason}); nothing was changed`)
  system.writeFile(copy, bytes.value, { mode: 0o600, attributesOf: path })
  const attributes = system.readAttributes?.(path)
  refuseSigned(path, attributes)
  const { mode, uid, gid } = stat.value
  const kept = attributes === undefined ? {} : { attributes }
  return { path, kind: 'file', blob, sha256: await sha256(bytes.value), mode, uid, gid, ...kept }
}

/**
 * A file is replaced by a new one, since a power failure could cut a file that is written in place. The new
 * file replaces only one of the names.
 */
function refuseManyNames(path: string, { links }: FileStat): void {
  if (links <= 1) return
  throw new AppError(
    `${path} has ${links} names (hard links), and the others would keep the old text; nothing was changed`,
    {
      help:
        `find -samefile shows the other names; make ${path} a separate file: cp -a ${path} ${path}.own && ` +
        `mv ${path}.own ${path}`,
      exitCode: exitCode.applyFailedRestored,
    },
  )
}

/** The kernel refuses a file whose bytes do not match its signature (Documentation/ABI/testing/evm). */
function refuseSigned(path: string, attributes: Attributes | undefined): void {
  const signed = ['security.ima', 'security.evm'].find((name) => attributes?.[name] !== undefined)
  if (signed === undefined) return
  throw new AppError(`${path} is signed (${signed}), and a new text has no signature; nothing was changed`, {
    help: 'change and sign that file by hand, then plan again',
    exitCode: exitCode.applyFailedRestored,
  })
}

export async function sha256(bytes: Uint8Array | string): Promise<string> {
  const input = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(input))
  return toHex(new Uint8Array(digest))
}

export async function hashOutputs(reader: Reader, paths: readonly string[]): Promise<Hashes> {
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
  if (
    !stat.ok ||
    stat.value.mode !== saved.mode ||
    stat.value.uid !== saved.uid ||
    stat.value.gid !== saved.gid
  )
    return false
  const { attributes = {} } = saved
  if (Object.keys(attributes).length === 0 || reader.readAttributes === undefined) return true
  const is = reader.readAttributes(saved.path)
  return is !== undefined && findOther(attributes, is).length === 0
}

/** Names of the attributes that differ. */
export function findOther(a: Attributes, b: Attributes): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).toSorted()
}

/**
 * Restores one file byte for byte, with mode, owner, ACLs and attributes, and reads it again. `check` runs
 * right before the write; the default check throws when the file has changed since this call. Throws when the
 * copy is damaged.
 */
export async function restoreFile(
  system: System,
  folder: string,
  saved: SavedFile,
  check?: () => void,
): Promise<void> {
  const look = check ?? lastLook(system, saved.path)
  if (await isAsSaved(system, saved)) return
  // `removeFolder` keeps a folder that is not empty.
  if (saved.kind === 'no-folder') return system.removeFolder(saved.path)
  if (saved.kind === 'file') await putBack(system, folder, saved, look)
  else {
    look()
    if (saved.kind === 'link') system.makeLink(saved.path, saved.target)
    else system.remove(saved.path)
  }
  if (!(await isAsSaved(system, saved)))
    throw new AppError(`${saved.path} was restored, but is not as before when read again`)
}

type SavedBytes = Extract<SavedFile, { kind: 'file' }>

async function putBack(system: System, folder: string, saved: SavedBytes, look: () => void): Promise<void> {
  const bytes = await readWholeCopy(system, folder, saved)
  const { mode, uid, gid } = saved
  const as = { mode, owner: { uid, gid }, attributesOf: copyOf(folder, saved) }
  if (!system.readLink(saved.path).ok) return system.writeFile(saved.path, bytes, { ...as, check: look })
  // A generator replaced the file by a link; writing through the link would change its target.
  look()
  system.remove(saved.path)
  system.writeFile(saved.path, bytes, as)
}

/** Returns a check that throws when the path has changed since this call. */
function lastLook(reader: Reader, path: string): () => void {
  const read = () => {
    const link = reader.readLink(path)
    return link.ok ? link : reader.readBytes(path, savedLimit)
  }
  const judged = read()
  return () => {
    const now = read()
    const isSame = judged.ok && now.ok ? isSameBytes(judged.value, now.value) : judged.ok === now.ok
    if (!isSame) throw new ChangedMeanwhile(`${path} was changed by someone else while it was being restored`)
  }
}

function isSameBytes(a: Uint8Array | string, b: Uint8Array | string): boolean {
  return Buffer.from(a).equals(Buffer.from(b))
}

const copyOf = (folder: string, { blob }: SavedBytes) => `${folder}/${blob}`

export function readCopy(reader: Reader, { folder }: Copies, saved: SavedBytes): ReadResult<Uint8Array> {
  return reader.readBytes(copyOf(folder, saved), savedLimit)
}

async function readWholeCopy(reader: Reader, folder: string, saved: SavedBytes): Promise<Uint8Array> {
  const blob = copyOf(folder, saved)
  const bytes = reader.readBytes(blob, savedLimit)
  if (!bytes.ok) throw new DamagedCopy(`the saved bytes of ${saved.path} cannot be read from ${blob}`)
  if ((await sha256(bytes.value)) !== saved.sha256)
    throw new DamagedCopy(`the saved bytes of ${saved.path} in ${blob} are damaged and were not restored`)
  return bytes.value
}
