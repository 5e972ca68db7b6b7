/**
 * POSIX ACLs, capabilities, security labels and every other extended attribute of a file (xattr(7)). Node has
 * no calls for them, so GNU cp copies them and GNU tar lists them: distributions install both by default, but
 * rarely getfattr and setfattr (docs/decisions/0018-attributes-of-files.md).
 */
import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { AppError } from '../base/errors.ts'
import { searchPath } from './search-path.ts'

/** Name → value in hex. Empty: the file has none. */
export type Attributes = Readonly<Record<string, string>>

const patience = { timeout: 20_000, env: { LC_ALL: 'C.UTF-8' } } as const

/**
 * Gives `to` exactly the attributes of `from`, without an ACL that `to` inherited from its folder. Throws
 * when an attribute would be lost, or when the attributes of `from` cannot be read.
 */
export function carryAttributes(from: string, to: string, shown: string): void {
  if (hasNone(from)) return
  const done = spawnSync('cp', ['--attributes-only', '--preserve=mode,xattr', '--', from, to], {
    ...patience,
    env: { ...patience.env, PATH: searchPath() },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (done.status === 0) return
  const attributes = readAttributes(from)
  if (attributes !== undefined && Object.keys(attributes).length === 0) return
  const said = done.stderr?.trim().split('\n').at(-1) ?? ''
  const names = attributes === undefined ? 'ACLs and extended attributes' : Object.keys(attributes).join(', ')
  throw new AppError(
    attributes === undefined
      ? `it cannot be read whether ${shown} has ${names}, and writing the file would lose them`
      : `${names} of ${shown} cannot be kept: ${said}`,
    {
      help:
        attributes === undefined
          ? 'install GNU coreutils and tar (busybox does not support them), or change that file by hand'
          : 'run it as root; some file systems (vfat, tmpfs of old kernels) cannot store them',
    },
  )
}

/** vfat, exfat, ramfs and efivarfs do not store extended attributes (Linux, include/uapi/linux/magic.h). */
const bareFileSystems = new Set([0x4d44, 0x2011bab0, 0x858458f6, 0xde5e81e4])

function hasNone(path: string): boolean {
  return bareFileSystems.has(statfsSync(path).type)
}

/** The block size of a tar archive. */
const block = 512
const mostBytes = 1024 * 1024

/**
 * Undefined when they cannot be read. tar writes them into the extended header before the file, as
 * `33 SCHILY.xattr.user.note=text\n` (pax(1), star(5)).
 */
export function readAttributes(path: string): Attributes | undefined {
  if (hasNone(path)) return {}
  const slash = path.lastIndexOf('/')
  const argv = ['--format=pax', '--xattrs', '--xattrs-include=*', '--no-recursion', '-cf', '-']
  const done = spawnSync(
    'tar',
    [...argv, '-C', path.slice(0, slash) || '/', '--', `./${path.slice(slash + 1)}`],
    {
      ...patience,
      env: { ...patience.env, PATH: searchPath() },
      maxBuffer: mostBytes,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  // The header is at the beginning, so a cut archive is enough.
  const isCut = done.error !== undefined && 'code' in done.error && done.error.code === 'ENOBUFS'
  if (done.status !== 0 && !isCut) return undefined
  return parseHeader(done.stdout)
}

function parseHeader(archive: Uint8Array): Attributes | undefined {
  const text = (from: number, to: number) => Buffer.from(archive.subarray(from, to)).toString('latin1')
  if (archive.length < 2 * block || text(257, 262) !== 'ustar') return undefined
  if (text(156, 157) !== 'x') return {}
  const end = block + Number.parseInt(text(124, 136), 8)
  if (!(end <= archive.length)) return undefined
  const attributes: Record<string, string> = {}
  for (let at = block; at < end;) {
    const head = /^(\d{1,7}) (?:SCHILY\.xattr\.([^=]{1,255})=)?/.exec(text(at, Math.min(at + 300, end)))
    const length = Number(head?.[1])
    if (head === null || !(length > head[0].length) || at + length > end) return undefined
    const value = archive.subarray(at + head[0].length, at + length - 1)
    if (head[2] !== undefined) attributes[head[2]] = Buffer.from(value).toString('hex')
    at += length
  }
  return attributes
}
