/**
 * Finds the ends of a mounted file system. Most are on the block device whose number mountinfo gives. File
 * systems with an anonymous number (major 0) are in memory, on servers, on several devices (btrfs, ZFS,
 * bcachefs), or layers of others. An unknown type is lost.
 */
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { btrfsMembers } from './btrfs.ts'
import { findByNumber, findDevice, type Found, type Namer } from './device-path.ts'
import type { End } from '../ends.ts'
import { mountOf, optionOf, type Mount } from './mounts.ts'
import { remoteTypes } from '../network/remote-storage.ts'

export type FileSystems = {
  readonly namer: Namer
  readonly mounts: readonly Mount[]
  readonly block: (name: string) => readonly End[]
  readonly pool: (name: string) => readonly End[]
}

const inMemory =
  /^(?:proc|sysfs|tmpfs|ramfs|rootfs|devtmpfs|devpts|cgroup2?|cpuset|nsfs|mqueue|debugfs|tracefs|securityfs|pstore|bpf|configfs|fusectl|hugetlbfs|autofs|binfmt_misc|efivarfs|rpc_pipefs|nfsd|selinuxfs|smackfs|apparmorfs|binder|resctrl|xenfs|functionfs|gadgetfs|pidfs|pipefs|sockfs|bdev|anon_inodefs|dax|usbfs|usbdevfs|spufs|openpromfs|secretmem|guest_memfd|dlmfs|ocfs2_dlmfs|devfs|sdcardfs|ipathfs|qibfs|rdma_cm|vmblock)$/
const ofHypervisor = /^(?:vboxsf|vmhgfs|fuse\.vmhgfs-fuse|prl_fs|ubifs|jffs2|hostfs)$/
const ofLayers = /^(?:overlay|aufs|unionfs|ecryptfs)$/

export function mountEnds(systems: FileSystems, mount: Mount, seen: readonly Mount[] = []): readonly End[] {
  const { reading } = systems.namer
  const { type, source } = mount
  if (seen.includes(mount)) return [lostAt(source, `${mount.point} lies on itself`)]
  if (type === 'btrfs') return btrfsEnds(systems, mount)
  if (type === 'zfs') return systems.pool(source.split('/')[0] ?? '')
  if (!mount.number.startsWith('0:')) {
    const further = furtherPaths(mount).flatMap((path) =>
      foundEnds(systems, findDevice(systems.namer, path), path),
    )
    return [...numberEnds(systems, mount), ...further]
  }
  if (type === '9p' || type === 'virtiofs') return sharedEnds(reading, mount)
  if (remoteTypes.test(type)) return elsewhere('it is on a server, whose port is followed')
  if (inMemory.test(type)) return elsewhere('it is in memory')
  if (ofHypervisor.test(type)) return elsewhere('it is no disk of this machine')
  if (ofLayers.test(type)) return layerEnds(systems, mount, [...seen, mount])
  return sourceEnds(systems, mount, [...seen, mount])
}

function btrfsEnds({ namer, mounts, block }: FileSystems, mount: Mount): readonly End[] {
  const { members, lost } = btrfsMembers(namer, mounts, mount)
  return [...members.flatMap((name) => block(name)), ...(lost === undefined ? [] : [lost])]
}

/** The block devices that directly hold a file system. */
export function blocksOf(namer: Namer, mounts: readonly Mount[], mount: Mount): string[] {
  if (mount.type === 'btrfs') return [...btrfsMembers(namer, mounts, mount).members]
  const own = namer.blocks.byNumber.get(mount.number)?.name
  const paths = [...(own === undefined ? mount.source.split(':') : []), ...furtherPaths(mount)]
  const named = paths.flatMap((path) => {
    const found = path.startsWith('/dev/') ? findDevice(namer, path) : undefined
    return found?.is === 'block' ? [found.name] : []
  })
  return own === undefined ? named : [own, ...named]
}

function elsewhere(why: string): readonly End[] {
  return [{ to: 'elsewhere', chain: [], why }]
}

function lostAt(lost: string, why: string): End {
  return { to: 'lost', chain: [], lost, why }
}

/** The ends of a device name. The file system is in use, so a device that seems absent is lost. */
export function foundEnds(systems: FileSystems, found: Found, shown: string): readonly End[] {
  return found.is === 'block' ? systems.block(found.name) : [lostAt(shown, found.why)]
}

function numberEnds(systems: FileSystems, { number, source }: Mount): readonly End[] {
  const found = findByNumber(systems.namer, number)
  if (found.is === 'block') return systems.block(found.name)
  const named = source.startsWith('/dev/') ? findDevice(systems.namer, source) : found
  return named.is === 'block'
    ? systems.block(named.name)
    : [lostAt(source.startsWith('/') ? source : number, found.why)]
}

/**
 * XFS prints its log and real-time devices as options (fs/xfs/xfs_super.c), and reiserfs its journal.
 * /proc/fs/jbd2 shows the journals of ext4.
 */
function furtherPaths(mount: Mount): string[] {
  return ['logdev', 'rtdev', 'jdev'].flatMap((option) => optionOf(mount, option) ?? [])
}

/**
 * A file system that a hypervisor shares has a tag and no block device. A function with that virtio driver
 * carries it.
 */
function sharedEnds(reading: Reading, mount: Mount): readonly End[] {
  if (mount.type === '9p' && /^(?:tcp|rdma|fd|unix|xen)$/.test(optionOf(mount, 'trans') ?? ''))
    return elsewhere('it is on a server, whose port is followed')
  const folder = `/sys/bus/virtio/drivers/${mount.type === '9p' ? '9pnet_virtio' : 'virtiofs'}`
  const ends = namesIn(reading, folder).flatMap((name): End[] => {
    const stated = textOf(reading, `${folder}/${name}/mount_tag`) ?? textOf(reading, `${folder}/${name}/tag`)
    const device = /^virtio\d+$/.test(name) ? ownerOf(linkOf(reading, `${folder}/${name}`)) : undefined
    if (device === undefined || (stated !== undefined && stated !== mount.source)) return []
    return [{ to: 'function', chain: [mount.source], device }]
  })
  return ends.length > 0 ? ends : [lostAt(mount.source, 'nothing says which function shares it')]
}

/** Layers are folders on other file systems (Documentation/filesystems/overlayfs.rst). */
function layerEnds(systems: FileSystems, mount: Mount, seen: readonly Mount[]): readonly End[] {
  // With relative names the layers are beside the mount point; they are used if the options grow too long.
  const beside = mount.point.slice(0, mount.point.lastIndexOf('/'))
  const paths = layersOf(mount).map((path) => (path.startsWith('/') ? path : `${beside}/${path}`))
  if (paths.length > 0) return paths.flatMap((path) => folderEnds(systems, path, seen))
  if (mount.point === '/') return [lostAt(mount.source, 'its layers are not stated')]
  return elsewhere('its layers lie on mounted file systems, which are followed')
}

function layersOf(mount: Mount): string[] {
  const stated = ['lowerdir', 'lowerdir+', 'datadir+', 'upperdir', 'workdir'].flatMap((name) =>
    mount.options
      .filter((option) => option.startsWith(`${name}=`))
      .map((option) => option.slice(name.length + 1)),
  )
  const listed =
    mount.type === 'overlay'
      ? stated
      : [...stated, mount.source, optionOf(mount, 'dirs') ?? '', optionOf(mount, 'br') ?? '']
  // A colon separates layers; a backslash before it makes it a part of the name.
  const parts = listed.flatMap((text) => text.split(/(?<!\\):+/))
  return [...new Set(parts.map((part) => part.replaceAll('\\:', ':').replace(/=\w+$/, '')))].filter(
    (part) => part !== '',
  )
}

function folderEnds(systems: FileSystems, path: string, seen: readonly Mount[]): readonly End[] {
  const mount = mountOf(systems.mounts, path)
  if (mount === undefined) return [lostAt(path, 'no mount holds this folder')]
  return mountEnds(systems, mount, seen).map((end) => ({ ...end, chain: [path, ...end.chain] }))
}

/**
 * bcachefs names all its devices (`/dev/sda:/dev/sdb`); other types may name one. A file system that a
 * process serves has no disk of its own.
 */
function sourceEnds(systems: FileSystems, mount: Mount, seen: readonly Mount[]): readonly End[] {
  const devices = mount.source.split(':').filter((part) => part.startsWith('/dev/') && part !== '/dev/fuse')
  if (/^\/(?!dev\/)/.test(mount.source)) return fileEnds(systems, mount.source, seen)
  if (devices.length > 0)
    return devices.flatMap((path) => foundEnds(systems, findDevice(systems.namer, path), path))
  if (/^fuse(?:\.|$)/.test(mount.type))
    return elsewhere('a process serves it, whose own files and devices are followed')
  return [lostAt(mount.source, `nothing says where a file system of type ${mount.type} lies`)]
}

/** Checks that the file exists without reading it. A capture records that it is too large. */
function isFileThere(reading: Reading, path: string): boolean {
  const stat = reading.system.stat(path)
  if (stat.ok && stat.value.kind !== 'file') return true
  const read = reading.system.readText(path, 1)
  return stat.ok || read.ok || read.reason !== 'absent'
}

/** The file behind a loop device, a swap file, a device file. */
export function fileEnds(systems: FileSystems, path: string, seen: readonly Mount[] = []): readonly End[] {
  const { reading } = systems.namer
  const plain = path.replace(/ \(deleted\)$/, '')
  if (plain.startsWith('/dev/')) {
    const found = findDevice(systems.namer, plain)
    if (found.is === 'block') return systems.block(found.name)
    if (!plain.startsWith('/dev/shm/')) return [lostAt(plain, found.why)]
  }
  const mount = mountOf(systems.mounts, plain)
  if (mount === undefined) return [lostAt(plain, 'no mount holds this file')]
  const folder = plain.slice(0, plain.lastIndexOf('/')) || '/'
  const isThere = plain === path ? isFileThere(reading, plain) : reading.system.stat(folder).ok
  // After a mount was detached, its paths seem to be on the mount above.
  if (!isThere && (reading.system.live || isVolatile(mount))) return [lostAt(plain, 'no such file is there')]
  return mountEnds(systems, mount, seen).map((end) => ({ ...end, chain: [plain, ...end.chain] }))
}

/** The file system is in memory or shows the kernel, so it has no disk. */
export function isInMemory({ type, number }: Mount): boolean {
  return number.startsWith('0:') && inMemory.test(type)
}

function isVolatile({ type, number }: Mount): boolean {
  return number.startsWith('0:') && (inMemory.test(type) || ofLayers.test(type))
}
