/**
 * Bytes of files as they were: taken before the first change, put back on rollback, checked by hash on the
 * way in and on the way back. What is to be put back after a command is judged in outputs.ts.
 */
import { toHex } from '../pci/hex.ts'
import { AppError, exitCode } from '../base/errors.ts'
import type { Attributes } from '../machine/attributes.ts'
import type { FileStat, ReadResult, Reader, System } from '../machine/system.ts'
import { ChangedMeanwhile } from './changed-meanwhile.ts'
import type { Copies, Hashes } from './kind.ts'
import type { SavedFile } from './saved-file.ts'

/** Initramfs images are the largest thing saved; some weigh hundreds of MiB. */
const savedLimit = 1024 * 1024 * 1024

/** What was saved is not what is there to be put back. */
export class DamagedCopy extends AppError {}

/**
 * Saves each path once, its bytes in `folder`. Throws when a file exists and cannot be read: without its
 * bytes there is no way back.
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
      `${path} cannot be read (${stat.code ?? stat.reason}), so it could not be put back later`,
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
 * Written in place a file may be cut in half by a power failure; written as a new one it takes only one name
 * with it.
 */
function refuseManyNames(path: string, { links }: FileStat): void {
  if (links <= 1) return
  throw new AppError(
    `${path} has ${links} names (hard links), and the others would keep the old text; nothing was changed`,
    {
      help:
        `find -samefile shows them; give it bytes of its own: cp -a ${path} ${path}.own && ` +
        `mv ${path}.own ${path}`,
      exitCode: exitCode.applyFailedRestored,
    },
  )
}

/**
 * Signatures of the bytes (Documentation/ABI/testing/evm): with other bytes the kernel would refuse the file.
 */
function refuseSigned(path: string, attributes: Attributes | undefined): void {
  const signed = ['security.ima', 'security.evm'].find((name) => attributes?.[name] !== undefined)
  if (signed === undefined) return
  throw new AppError(`${path} is signed (${signed}), and another text would not be; nothing was changed`, {
    help: 'change and sign that file by hand, then plan again',
    exitCode: exitCode.applyFailedRestored,
  })
}

export async function sha256(bytes: Uint8Array | string): Promise<string> {
  const input = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(input))
  return toHex(new Uint8Array(digest))
}

/** SHA-256 of each path as it is now; null when absent, `link:…` for a symbolic link. */
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

/** Names of attributes that are not the same in both. */
export function findOther(a: Attributes, b: Attributes): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).toSorted()
}

/**
 * Puts one file back byte for byte, with mode, owner, ACLs and attributes, and looks again. `check` is called
 * right before; without one, what is there now must still be there then. Throws when the saved bytes are
 * damaged.
 */
export async function restoreFile(
  system: System,
  folder: string,
  saved: SavedFile,
  check?: () => void,
): Promise<void> {
  const look = check ?? lastLook(system, saved.path)
  if (await isAsSaved(system, saved)) return
  // A folder in which somebody keeps something now stays.
  if (saved.kind === 'no-folder') return system.removeFolder(saved.path)
  if (saved.kind === 'file') await putBack(system, folder, saved, look)
  else {
    look()
    if (saved.kind === 'link') system.makeLink(saved.path, saved.target)
    else system.remove(saved.path)
  }
  if (!(await isAsSaved(system, saved)))
    throw new AppError(`${saved.path} was put back and is not as before when read again`)
}

type SavedBytes = Extract<SavedFile, { kind: 'file' }>

async function putBack(system: System, folder: string, saved: SavedBytes, look: () => void): Promise<void> {
  const bytes = await readWholeCopy(system, folder, saved)
  const { mode, uid, gid } = saved
  const as = { mode, owner: { uid, gid }, attributesOf: copyOf(folder, saved) }
  if (!system.readLink(saved.path).ok) return system.writeFile(saved.path, bytes, { ...as, check: look })
  // A generator left a link where a file was; writing through it would change the link's target.
  look()
  system.remove(saved.path)
  system.writeFile(saved.path, bytes, as)
}

/** What is put back takes the place of what was judged, and of nothing that came since. */
function lastLook(reader: Reader, path: string): () => void {
  const read = () => {
    const link = reader.readLink(path)
    return link.ok ? link : reader.readBytes(path, savedLimit)
  }
  const judged = read()
  return () => {
    const now = read()
    const isSame = judged.ok && now.ok ? isSameBytes(judged.value, now.value) : judged.ok === now.ok
    if (!isSame) throw new ChangedMeanwhile(`${path} was changed by someone else while it was being put back`)
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
    throw new DamagedCopy(`the saved bytes of ${saved.path} in ${blob} are damaged; they were not put back`)
  return bytes.value
}
