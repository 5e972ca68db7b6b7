/**
 * Looks at the paths that a spec names: the images, ISOs and kernels of its VMs. Only planning needs them.
 */
import type { FileStat, Reader } from '../../machine/system.ts'
import type { HostPath } from '../host.ts'

const limit = 10_000

/** All paths must be absolute. */
export function readPaths(reader: Reader, paths: readonly string[]): HostPath[] {
  return [...new Set(paths)].slice(0, limit).map((path) => readPath(reader, path))
}

function readPath(reader: Reader, path: string): HostPath {
  const found = reader.realPath(path)
  if (!found.ok) {
    const kind = found.reason === 'absent' ? 'absent' : 'unreadable'
    return { path, kind, real: whereItWouldBe(reader, path) }
  }
  const real = found.value
  const stat = reader.stat(real)
  if (!stat.ok) return { path, kind: stat.reason === 'absent' ? 'absent' : 'unreadable', real }
  const block = blockAt(reader, real)
  if (block !== undefined) return { path, kind: 'block', real, ...block }
  const kind = kindOf(stat.value)
  const { inode } = stat.value
  return kind === 'file' && inode !== undefined ? { path, kind, real, inode } : { path, kind, real }
}

function kindOf({ kind }: FileStat): HostPath['kind'] {
  if (kind === 'file') return 'file'
  return kind === 'directory' ? 'folder' : 'other'
}

/**
 * On a running kernel the number of the node identifies the block device. In a tree the nodes are plain
 * files, so the name identifies it.
 */
function blockAt(reader: Reader, real: string): Pick<HostPath, 'block' | 'whole'> | undefined {
  const number = reader.nodeNumber?.(real)
  if (number?.startsWith('block ') === false) return undefined
  const byNumber =
    number === undefined ? undefined : reader.readLink(`/sys/dev/block/${number.slice('block '.length)}`)
  if (byNumber !== undefined) {
    // A device node whose device is missing is still not a file.
    if (!byNumber.ok) return {}
    return blockFrom(reader, lastPart(byNumber.value), byNumber.value)
  }
  const name = /^\/dev\/(.+)$/.exec(real)?.[1]?.replaceAll('/', '!')
  const link = name === undefined ? undefined : reader.readLink(`/sys/class/block/${name}`)
  return name !== undefined && link?.ok === true ? blockFrom(reader, name, link.value) : undefined
}

/** From `…/block/sda/sda2`, the whole disk is sda. */
function blockFrom(reader: Reader, name: string, link: string): Pick<HostPath, 'block' | 'whole'> {
  const isPart = reader.stat(`/sys/class/block/${name}/partition`).ok
  return { block: name, whole: isPart ? (link.split('/').at(-2) ?? name) : name }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The path with the links of its existing folders resolved. */
function whereItWouldBe(reader: Reader, path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash <= 0) return path
  const folder = reader.realPath(path.slice(0, slash))
  const above = folder.ok ? folder.value : whereItWouldBe(reader, path.slice(0, slash))
  return `${above === '/' ? '' : above}/${path.slice(slash + 1)}`
}
