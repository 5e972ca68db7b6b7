/**
 * Builds everything that follows disks, once for each Reading: block devices, mounts, file systems, pools. It
 * returns ends (ends.ts); storage.ts turns them into needs.
 */
import type { PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import type { Reading } from '../../read/reading.ts'
import { stackOf, type Stack } from './block-stack.ts'
import { readBlocks, type Block, type Blocks } from './blocks.ts'
import { readContained, type Contained } from '../container.ts'
import { couldCarryDisks } from '../could-be.ts'
import { parseCrypttab } from './crypttab.ts'
import type { Found, Namer } from './device-path.ts'
import type { End } from '../ends.ts'
import { fileEnds, mountEnds, type FileSystems } from './file-systems.ts'
import { readMounts, unescapeOctal, type Mount, type Namespaces } from './mounts.ts'
import { textOfSource } from '../sources.ts'
import { readUdev, type Udev } from './udev.ts'
import { poolsOfVolume, readPools, readZfs, type Zfs } from './zfs.ts'

export type Disks = {
  readonly reading: Reading
  readonly blocks: Blocks
  readonly namer: Namer
  readonly contained: Contained
  readonly namespaces: Namespaces
  readonly stack: Stack
  readonly pools: ReadonlySet<string>
  readonly zfs: Zfs
  readonly mountEnds: (mount: Mount) => readonly End[]
  /** The ends of a device file, or of a plain file on a file system. */
  readonly fileEnds: (path: string) => readonly End[]
  /** The ends of a device name. A device that is not present today ends elsewhere. */
  readonly foundEnds: (found: Found, shown: string) => readonly End[]
  /** The functions at which a lost need could end. */
  readonly couldBe: () => readonly PciAddress[]
}

const known = new WeakMap<Reading, Disks>()

export function readDisks(reading: Reading, devices: readonly PciDevice[]): Disks {
  const before = known.get(reading)
  if (before) return before
  const disks = makeDisks(reading, devices)
  known.set(reading, disks)
  return disks
}

function makeDisks(reading: Reading, devices: readonly PciDevice[]): Disks {
  const contained = readContained(reading)
  const namespaces = readMounts(reading)
  const mounts = [...namespaces.own, ...namespaces.others.flatMap((one) => one.mounts)]
  const blocks = readBlocks(reading, numbersOf(mounts))
  const namer = namerOf(reading, blocks)
  const pools = readPools(reading, mounts)
  const follow = followers({ reading, devices, namer, mounts: namespaces.own, allMounts: mounts, pools })
  return {
    ...{ reading, blocks, namer, contained, namespaces, pools },
    ...follow,
    foundEnds: (found, shown) => endsOfFound(found, { shown, devices, blocks, stack: follow.stack }),
    couldBe: () => couldCarryDisks(devices, blocks),
  }
}

function numbersOf(mounts: readonly Mount[]): string[] {
  return [...new Set(mounts.map(({ number }) => number))].filter((number) => !number.startsWith('0:'))
}

function namerOf(reading: Reading, blocks: Blocks): Namer {
  let udev: Udev | undefined
  const crypttab = new Map(
    parseCrypttab(textOfSource(reading, '/etc/crypttab')).map(({ name, source }) => [name, source]),
  )
  return { reading, blocks, udev: () => (udev ??= readUdev(reading, blocks)), crypttab }
}

type Given = {
  readonly reading: Reading
  readonly devices: readonly PciDevice[]
  readonly namer: Namer
  readonly mounts: readonly Mount[]
  readonly allMounts: readonly Mount[]
  readonly pools: ReadonlySet<string>
}

/**
 * Block devices, file systems and pools depend on each other (a file on a file system on a volume of a pool
 * …).
 */
function followers(given: Given): Pick<Disks, 'stack' | 'zfs' | 'mountEnds' | 'fileEnds'> {
  const { reading, devices, namer, mounts, pools } = given
  let depth = 0
  /** The stack of block devices does not notice a circle through files and pools. */
  const bounded = (name: string, next: () => readonly End[]): readonly End[] => {
    if (depth >= 24) return [{ to: 'lost', chain: [], lost: name, why: 'it leads back to itself' }]
    depth++
    try {
      return next()
    } finally {
      depth--
    }
  }
  const systems: FileSystems = {
    namer,
    mounts,
    block: (name) => stack.endsOf(name),
    pool: (name) => bounded(`pool ${name}`, () => zfs.endsOf(name)),
  }
  const file = (path: string): readonly End[] => bounded(path, () => fileEnds(systems, path))
  const zvol = (block: Block): readonly End[] =>
    poolsOfVolume(namer, block, pools).flatMap((pool) =>
      systems.pool(pool).map((end): End => ({ ...end, chain: [`pool ${pool}`, ...end.chain] })),
    )
  const stack = stackOf({ reading, blocks: namer.blocks, devices, beyond: { file, zvol } })
  const used = usedBlocks(given)
  const zfs = readZfs({ namer, block: systems.block, file, isUsed: (name) => used.has(name) })
  return { stack, zfs, mountEnds: (mount) => mountEnds(systems, mount), fileEnds: file }
}

/** Devices that are mounted, used as swap or part of another device. They are no members of a pool. */
function usedBlocks({ reading, namer, allMounts }: Given): Set<string> {
  const { blocks } = namer
  const names = allMounts.flatMap(({ number }) => blocks.byNumber.get(number)?.name ?? [])
  for (const path of swapPaths(reading)) names.push(path.replace(/^\/dev\//, ''))
  for (const { name, folder } of blocks.byName.values())
    if (reading.system.list(`${folder}/holders`).ok && holdersOf(reading, folder).length > 0) names.push(name)
  return new Set(names)
}

function holdersOf(reading: Reading, folder: string): readonly string[] {
  const list = reading.system.list(`${folder}/holders`)
  return list.ok ? list.value : []
}

/** The first column of /proc/swaps. A space is `\040`; `\040(deleted)` marks a deleted file. */
export function swapPaths(reading: Reading): string[] {
  const lines = textOfSource(reading, '/proc/swaps').split('\n').slice(1)
  return lines.flatMap((line) => {
    const path = unescapeOctal(line.split(/\s+/)[0] ?? '')
    return path.startsWith('/') ? [path] : []
  })
}

type Around = {
  readonly shown: string
  readonly devices: readonly PciDevice[]
  readonly blocks: Blocks
  readonly stack: Stack
}

function endsOfFound(found: Found, { shown, devices, blocks, stack }: Around): readonly End[] {
  if (found.is === 'block') return stack.endsOf(found.name)
  if (found.is === 'absent') return [{ to: 'elsewhere', chain: [], why: found.why }]
  const ends = (found.maybe ?? []).flatMap((name) => stack.endsOf(name))
  const functions = ends.flatMap((end) => (end.to === 'function' ? [end.device] : []))
  const couldBe = found.maybe === undefined ? couldCarryDisks(devices, blocks) : [...new Set(functions)]
  return [{ to: 'lost', chain: [], lost: shown, why: found.why, couldBe }]
}
