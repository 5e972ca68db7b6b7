/**
 * Reads a tar archive (ustar, pax, GNU long names) into a tree in memory: files, folders, symbolic and hard
 * links, within the limits. Nothing is written to disk.
 */
import { defined } from '../../base/defined.ts'
import { addToTree, emptyTree, type Tree, type TreeNode } from '../tree.ts'

export type TarReading = {
  readonly tree: Tree
  /** The number of members that were read. */
  readonly members: number
  /** What was left out, as messages. */
  readonly notes: readonly string[]
}

const block = 512
const memberCap = 400_000
/** No file that a reader needs is larger. */
const fileCap = 4 * 1024 * 1024

/** True if the first block has the checksum of a tar header. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= block && hasChecksum(bytes.subarray(0, block))
}

export function readTar(bytes: Uint8Array): TarReading {
  const tree = emptyTree()
  const notes = new Set<string>()
  let members = 0
  let long: LongNames = {}
  let at = 0
  for (; at + block <= bytes.length && members < memberCap;) {
    const header = bytes.subarray(at, at + block)
    at += block
    if (header[0] === 0) continue
    if (!hasChecksum(header)) {
      notes.add('the archive is damaged; what follows the damage is not read')
      break
    }
    const size = octal(header, 124, 12)
    const body = bytes.subarray(at, at + size)
    if (body.length < size) notes.add('the archive is cut off')
    at += Math.ceil(size / block) * block
    const type = String.fromCharCode(header[156] ?? 48)
    if ('LKxXg'.includes(type)) {
      long = type === 'g' ? long : { ...long, ...longNames(type, body) }
      continue
    }
    if (addMember(tree, header, type, body.length < size ? undefined : body, long)) members += 1
    long = {}
  }
  if (members >= memberCap) notes.add(`the archive has more than ${memberCap} members; the rest is not read`)
  return { tree: withoutWrapper(tree), members, notes: [...notes] }
}

type LongNames = { readonly path?: string; readonly target?: string }

/** `body` is absent for a file that is cut off: its beginning must not be taken for the whole. */
function addMember(
  tree: Tree,
  header: Uint8Array,
  type: string,
  body: Uint8Array | undefined,
  long: LongNames,
): boolean {
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
  const path = long.path ?? (prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`)
  const target = long.target ?? text(header, 157, 100)
  const content = body !== undefined && path.endsWith('/config') ? withoutPadding(body) : body
  const node = nodeOf(type, content, target, octal(header, 100, 8))
  return node !== undefined && addToTree(tree, path, node)
}

function nodeOf(
  type: string,
  body: Uint8Array | undefined,
  target: string,
  mode: number,
): TreeNode | undefined {
  switch (type) {
    case '0':
    case '7':
    case '\0':
      if (body === undefined) return { kind: 'unreadable', code: 'EIO' }
      if (body.length > fileCap) return { kind: 'unreadable', code: 'too-large' }
      return { kind: 'file', bytes: body, mode: mode & 0o7777 }
    case '1':
      return { kind: 'link', target: `/${target.replace(/^[./]+/, '')}` }
    case '2':
      return { kind: 'link', target }
    case '5':
      return emptyTree()
    default:
      // No reader needs devices, fifos and sockets.
      return undefined
  }
}

/**
 * An ordinary user can read only 64 bytes of a `config` file with 256 or 4096, and tar fills the rest with
 * zeros. If the header points to capabilities, zeros after it are this filling.
 */
function withoutPadding(config: Uint8Array): Uint8Array {
  const hasCapabilities = ((config[6] ?? 0) & 0x10) !== 0
  return hasCapabilities && config.length > 64 && config.subarray(64).every((byte) => byte === 0)
    ? config.subarray(0, 64)
    : config
}

/** `GNU L/K`: the body is the name. `pax x`: lines of `LENGTH key=value`. */
function longNames(type: string, body: Uint8Array): LongNames {
  const words = new TextDecoder().decode(body.subarray(0, 65_536)).replace(/\0+$/, '')
  if (type === 'L') return { path: words }
  if (type === 'K') return { target: words }
  const path = /(?:^|\n)\d{1,6} path=([^\n]{1,4096})\n/.exec(words)?.[1]
  const target = /(?:^|\n)\d{1,6} linkpath=([^\n]{1,4096})\n/.exec(words)?.[1]
  return { ...defined({ path, target }) }
}

function text(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end))
}

/** Octal text, or base 256 if the top bit of the first byte is set. Any other text counts as 0. */
function octal(header: Uint8Array, offset: number, length: number): number {
  if (((header[offset] ?? 0) & 0x80) !== 0) {
    let value = (header[offset] ?? 0) & 0x7f
    for (const byte of header.subarray(offset + 1, offset + length))
      value = Math.min(value * 256 + byte, Number.MAX_SAFE_INTEGER)
    return value
  }
  const digits = text(header, offset, length).trim()
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : 0
}

/** The checksum is the sum of all bytes, with blanks in its own field. */
function hasChecksum(header: Uint8Array): boolean {
  let sum = 0
  for (let index = 0; index < block; index += 1)
    sum += index >= 148 && index < 156 ? 32 : (header[index] ?? 0)
  return sum === octal(header, 148, 8) && sum > 256
}

/**
 * Removes the folders above `sys/` (`snapshot/sys/…`), and adds `sys/` to an archive that was created inside
 * /sys.
 */
function withoutWrapper(tree: Tree): Tree {
  let here = tree
  for (let depth = 0; depth < 4 && !here.entries.has('sys'); depth += 1) {
    const folders = [...here.entries.values()].filter((node): node is Tree => node.kind === 'directory')
    const next =
      folders.find((folder) => folder.entries.has('sys')) ?? (folders.length === 1 ? folders[0] : undefined)
    if (!next) break
    here = next
  }
  const isSys =
    here.entries.get('bus')?.kind === 'directory' && here.entries.get('devices')?.kind === 'directory'
  return isSys && !here.entries.has('sys') ? { kind: 'directory', entries: new Map([['sys', here]]) } : here
}
