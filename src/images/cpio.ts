/**
 * Writes the kernel's initramfs format (newc, Documentation/driver-api/early-userspace/buffer-format.rst): an
 * uncompressed archive that the kernel unpacks before anything runs. Uncompressed is fastest under emulation.
 */

export type CpioEntry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'device'; readonly path: string; readonly major: number; readonly minor: number }

/** Paths are relative to the root, parents before children; missing parent folders are added. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const chunks: Uint8Array[] = []
  let inode = 1
  for (const entry of withFolders(entries)) chunks.push(...record(entry, inode++))
  chunks.push(...record({ kind: 'trailer' }, 0))
  return Buffer.concat(chunks)
}

function withFolders(entries: readonly CpioEntry[]): CpioEntry[] {
  const folders = new Set<string>()
  const all: CpioEntry[] = []
  for (const entry of entries) {
    const parts = entry.path.split('/').slice(0, -1)
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/')
      if (folders.has(folder)) continue
      folders.add(folder)
      all.push({ kind: 'folder', path: folder })
    }
    if (entry.kind === 'folder') {
      if (folders.has(entry.path)) continue
      folders.add(entry.path)
    }
    all.push(entry)
  }
  return all
}

function record(entry: CpioEntry | { readonly kind: 'trailer' }, inode: number): Uint8Array[] {
  const name = Buffer.from(`${entry.kind === 'trailer' ? 'TRAILER!!!' : entry.path}\0`)
  const content = contentOf(entry)
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0]
  const fields = [inode, modeOf(entry), 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0]
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
  return [pad(Buffer.concat([header, name])), pad(content)]
}

function contentOf(entry: CpioEntry | { readonly kind: 'trailer' }): Uint8Array {
  if (entry.kind === 'file') return entry.content
  return entry.kind === 'link' ? Buffer.from(entry.target) : new Uint8Array()
}

function modeOf(entry: CpioEntry | { readonly kind: 'trailer' }): number {
  switch (entry.kind) {
    case 'file':
      return 0o100000 | (entry.mode ?? 0o644)
    case 'folder':
      return 0o040755
    case 'link':
      return 0o120777
    case 'device':
      return 0o020600
    case 'trailer':
      return 0
  }
}

function pad(bytes: Uint8Array): Uint8Array {
  const missing = (4 - (bytes.length % 4)) % 4
  return missing === 0 ? bytes : Buffer.concat([bytes, new Uint8Array(missing)])
}
