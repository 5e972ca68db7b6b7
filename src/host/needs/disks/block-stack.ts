/**
 * Follows a block device down to its ends: partition → disk, `slaves/` of dm, md and bcache (and `holders/`
 * from the other side), the file of a loop device, the controllers of a multipath NVMe namespace, the path
 * below /sys/devices. A device that leads nowhere has a lost end. Circles and depth are bounded.
 */
import { textOf, type Reading } from '../../read/reading.ts'
import type { Block, Blocks } from './blocks.ts'
import type { End } from '../ends.ts'
import { legsOf, membersOf } from './block-members.ts'
import { placeEnds, type Places } from './block-places.ts'
import { anyOf, withoutDoubles } from '../sets.ts'

export type Stack = {
  /** The ends of the device and of its members. */
  readonly endsOf: (name: string) => readonly End[]
  /** The device and all devices below it, as far as they can be followed. */
  readonly below: (name: string) => ReadonlySet<string>
  readonly shownName: (name: string) => string
  /** Composed devices that are part of no other device. */
  readonly tops: () => readonly string[]
}

const deepest = 48

export function stackOf(places: Places): Stack {
  const { reading, blocks } = places
  const members = membersOf(reading, blocks)
  const walk: Walk = { places, members, ends: new Map(), walking: [] }
  return {
    endsOf: (name) => follow(walk, name),
    below: (name) => allBelow(name, members, blocks),
    shownName: (name) => shownName(reading, blocks, name),
    tops: () => topsOf(members, blocks),
  }
}

type Walk = {
  readonly places: Places
  readonly members: ReadonlyMap<string, readonly string[]>
  /** The ends found so far. */
  readonly ends: Map<string, readonly End[]>
  /** The devices between the start and the current one. */
  readonly walking: string[]
}

function follow(walk: Walk, name: string): readonly End[] {
  const { ends, walking, places } = walk
  const known = ends.get(name)
  if (known) return known
  if (walking.includes(name)) return [lostAt(name, 'the devices below it form a circle')]
  if (walking.length > deepest) return [lostAt(name, 'too many devices are stacked to follow them')]
  walking.push(name)
  const shown = shownName(places.reading, places.blocks, name)
  const found = withoutDoubles(endsBelow(walk, name).map((end) => ({ ...end, chain: [shown, ...end.chain] })))
  walking.pop()
  // Inside a circle the result depends on the device at which the walk entered, so it is not remembered.
  if (walking.length === 0 || !found.some(({ to }) => to === 'lost')) ends.set(name, found)
  return found
}

function endsBelow(walk: Walk, name: string): readonly End[] {
  const { places, members } = walk
  const block = places.blocks.byName.get(name)
  const own = members.get(name) ?? []
  if (block === undefined) {
    // Only its members name this device, so it may have more members.
    return [
      ...own.flatMap((member) => follow(walk, member)),
      lostAt(name, 'no block device of this name is shown'),
    ]
  }
  const ownBelow = block.disk === undefined ? own : [...own, ...(members.get(block.disk) ?? [])]
  return ownBelow.length > 0 ? setEnds(walk, block, ownBelow) : placeEnds(places, block)
}

function setEnds(walk: Walk, block: Block, below: readonly string[]): readonly End[] {
  const { reading, blocks } = walk.places
  const whole = blocks.byName.get(block.disk ?? block.name) ?? block
  const { kind, broken, missing } = legsOf(reading, whole, below)
  const legs = below.map((member) => ({ ends: follow(walk, member), isBroken: broken.has(member) }))
  const gaps = missing === undefined ? [] : [lostAt(block.name, missing)]
  return [...(kind === 'any' ? anyOf(whole.name, legs) : legs.flatMap((leg) => leg.ends)), ...gaps]
}

function lostAt(name: string, why: string): End {
  return { to: 'lost', chain: [], lost: name, why }
}

/**
 * Whether the device is made of others, even if its members are not shown. Memory, volumes of pools and disks
 * of servers are followed elsewhere.
 */
function isMade({ name, place, disk }: Block): boolean {
  if (disk !== undefined || /^(?:ram|zram|zd|nbd|rbd|nullb|sr|fd)\d/.test(name)) return false
  return /^(?:loop|dm-|md|bcache|drbd)\d/.test(name) || place?.startsWith('/devices/virtual/block/') === true
}

function topsOf(members: ReadonlyMap<string, readonly string[]>, blocks: Blocks): string[] {
  const below = new Set([...members.values()].flat())
  const made = [...blocks.byName.values()].filter(isMade)
  const all = new Set([...members.keys(), ...made.map(({ name }) => name)])
  return [...all].filter((name) => !below.has(name) || name.startsWith('loop')).sort()
}

function allBelow(top: string, members: ReadonlyMap<string, readonly string[]>, blocks: Blocks): Set<string> {
  const found = new Set<string>()
  const pending = [top]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue
    found.add(name)
    pending.push(...(members.get(name) ?? []))
    const disk = blocks.byName.get(name)?.disk
    // The device depends on the members of its disk, but not on the other partitions.
    if (disk !== undefined) pending.push(...(members.get(disk) ?? []))
  }
  return found
}

/** The name that people use: `vg0/root` for a logical volume, the name of the mapping for LUKS and others. */
export function shownName(reading: Reading, blocks: Blocks, name: string): string {
  const folder = name.startsWith('dm-') ? blocks.byName.get(name)?.folder : undefined
  const label = folder === undefined ? undefined : textOf(reading, `${folder}/dm/name`)
  if (folder === undefined || label === undefined || label === '') return name
  const uuid = textOf(reading, `${folder}/dm/uuid`) ?? ''
  return uuid.startsWith('LVM-') ? volumeName(label) : label
}

/** dm joins group and volume by one dash and doubles the dashes inside: `my--vg-root` is `my-vg/root`. */
export function volumeName(label: string): string {
  const match = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(label)
  if (!match) return label
  return [match[1], match[2]].map((part) => (part ?? '').replaceAll('--', '-')).join('/')
}
