/**
 * Reads the block devices and their places below /sys/devices. Three folders list them: /sys/class/block
 * (all), /sys/dev/block (all, by number) and /sys/block (whole disks). An archive may lack some, so all three
 * are used. A name without a place is an existing device that leads nowhere.
 */
import { defined } from '../../../base/defined.ts'
import { ownerOf } from '../../read/read-attached.ts'
import type { PciAddress } from '../../../pci/address.ts'
import { namesIn, linkOf, textOf, type Reading } from '../../read/reading.ts'
import { noteBeyond } from '../sources.ts'

export type Block = {
  /** Kernel name: `sda2`, `dm-3`, `cciss!c0d0p1`. */
  readonly name: string
  /** `/devices/pci0000:00/…/block/sda/sda2`. Absent: no link gives it. */
  readonly place?: string
  /** The folder with the attributes of the device. */
  readonly folder: string
  /** The disk, if this is a partition. */
  readonly disk?: string
  /** `8:2`. */
  readonly number?: string
}

export type Blocks = {
  readonly byName: ReadonlyMap<string, Block>
  readonly byNumber: ReadonlyMap<string, Block>
  /** Every known device has a place, so a function without one of them has no disk. */
  readonly areAllPlaced: boolean
}

const maxBlocks = 20_000

/** `inUse`: numbers of devices that are in use and therefore exist. */
export function readBlocks(reading: Reading, inUse: readonly string[] = []): Blocks {
  const places = new Map<string, string | undefined>()
  const numbers = new Map<string, string>()
  for (const folder of ['/sys/block', '/sys/class/block']) {
    for (const name of firstOf(reading, folder)) {
      places.set(name, placeIn(linkOf(reading, `${folder}/${name}`)) ?? places.get(name))
    }
  }
  for (const number of firstOf(reading, '/sys/dev/block')) {
    const place = placeIn(linkOf(reading, `/sys/dev/block/${number}`))
    const name = place?.slice(place.lastIndexOf('/') + 1)
    if (place === undefined || name === undefined) continue
    places.set(name, place)
    numbers.set(name, number)
  }
  const partitions = readPartitions(reading)
  if (numbers.size === 0 || partitions.some(({ name }) => places.get(name) === undefined))
    addPartitions(reading, places)
  for (const { name, number } of partitions) {
    if (!places.has(name)) places.set(name, undefined)
    if (!numbers.has(name)) numbers.set(name, number)
  }
  const index = indexOf(reading, places, numbers)
  return { ...index, areAllPlaced: index.areAllPlaced && inUse.every((number) => index.byNumber.has(number)) }
}

function firstOf(reading: Reading, folder: string): readonly string[] {
  const names = namesIn(reading, folder)
  if (names.length > maxBlocks) noteBeyond(reading, folder, maxBlocks)
  return names.slice(0, maxBlocks)
}

function indexOf(
  reading: Reading,
  places: ReadonlyMap<string, string | undefined>,
  numbers: ReadonlyMap<string, string>,
): Blocks {
  const byName = new Map<string, Block>()
  const byNumber = new Map<string, Block>()
  for (const [name, place] of places) {
    const folder = place === undefined ? `/sys/class/block/${name}` : `/sys${place}`
    const disk = diskAbove(reading, name, place)
    const number = numbers.get(name) ?? numberText(textOf(reading, `${folder}/dev`))
    const block: Block = {
      name,
      folder,
      ...defined({ place, disk, number }),
    }
    byName.set(name, block)
    if (number !== undefined) byNumber.set(number, block)
  }
  return { byName, byNumber, areAllPlaced: [...byName.values()].every(({ place }) => place !== undefined) }
}

/** `../../devices/pci0000:00/…/block/sda` → `/devices/pci0000:00/…/block/sda`. */
function placeIn(link: string | undefined): string | undefined {
  const at = link?.indexOf('/devices/') ?? -1
  return link === undefined || at < 0 ? undefined : link.slice(at)
}

/** Finds partitions without a link in the folders of their disks. */
function addPartitions(reading: Reading, places: Map<string, string | undefined>): void {
  for (const [disk, place] of [...places]) {
    if (place === undefined) continue
    for (const name of namesIn(reading, `/sys${place}`)) {
      if (name.startsWith(disk) && textOf(reading, `/sys${place}/${name}/partition`) !== undefined)
        places.set(name, `${place}/${name}`)
    }
  }
}

function diskAbove(reading: Reading, name: string, place: string | undefined): string | undefined {
  if (place === undefined) return undefined
  const above = place.split('/').at(-2) ?? ''
  // The folder of a disk is `block/sda` or `nvme0/nvme0n1`; the folder of a partition is inside that of its
  // disk.
  if (!name.startsWith(above) || above === 'block') return undefined
  const isInside = /\/block\/[^/]+\/[^/]+$/.test(place)
  return isInside || textOf(reading, `/sys${place}/partition`) !== undefined ? above : undefined
}

function numberText(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{1,7}:\d{1,8}$/.test(text) ? text : undefined
}

/** /proc/partitions: major, minor, size in KiB, name with `/` where sysfs has `!`. */
function readPartitions(reading: Reading): { readonly name: string; readonly number: string }[] {
  const text = textOf(reading, '/proc/partitions', 4 << 20) ?? ''
  return text.split('\n').flatMap((line) => {
    const [, major, minor, name] = /^\s*(\d+)\s+(\d+)\s+\d+\s+(\S+)\s*$/.exec(line) ?? []
    if (major === undefined || minor === undefined || name === undefined) return []
    return [{ name: name.replaceAll('/', '!'), number: `${major}:${minor}` }]
  })
}

/** The PCI function in whose folder the device is; a virtual device has none. */
export function ownerOfBlock({ place }: Block): PciAddress | undefined {
  return ownerOf(place)
}

/** Functions that show a block device. */
export function functionsWithDisks(blocks: Blocks): Set<PciAddress> {
  const found = new Set<PciAddress>()
  for (const block of blocks.byName.values()) {
    const owner = ownerOfBlock(block)
    if (owner !== undefined) found.add(owner)
  }
  return found
}
