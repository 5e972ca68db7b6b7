/**
 * Finds the members of block devices. `slaves/` lists the members of a device, and `holders/` lists the
 * devices of a member (fs/block_dev.c, `bd_link_disk_holder`). An archive may lack one of them, so both are
 * read. md, bcache and Unraid's md have further lists.
 */
import { linkName, namesIn, numberOf, textOf, type Reading } from '../../read/reading.ts'
import type { Block, Blocks } from './blocks.ts'

export type Members = ReadonlyMap<string, readonly string[]>

export function membersOf(reading: Reading, blocks: Blocks): Members {
  const members = new Map<string, Set<string>>()
  const add = (whole: string, member: string): void => {
    if (whole === member) return
    const set = members.get(whole)
    if (set) set.add(member)
    else members.set(whole, new Set([member]))
  }
  for (const block of blocks.byName.values()) {
    for (const holder of namesIn(reading, `${block.folder}/holders`)) add(holder, block.name)
    if (!isVirtual(block)) continue
    for (const slave of namesIn(reading, `${block.folder}/slaves`)) add(block.name, slave)
    for (const member of statedMembers(reading, block)) add(block.name, member)
  }
  const mdstat = textOf(reading, '/proc/mdstat', 1 << 20) ?? ''
  for (const { whole, member } of arraysIn(mdstat)) add(whole, member)
  for (const { whole, member } of unraidArraysIn(mdstat)) if (blocks.byName.has(whole)) add(whole, member)
  return new Map([...members].map(([whole, set]) => [whole, [...set]]))
}

function isVirtual({ place }: Block): boolean {
  return place === undefined || place.includes('/virtual/') || !/\/pci[0-9a-f]{4,8}:/.test(place)
}

function statedMembers(reading: Reading, { name, folder }: Block): readonly string[] {
  if (name.startsWith('md')) {
    return namesIn(reading, `${folder}/md`).flatMap((entry) => {
      if (!entry.startsWith('dev-')) return []
      return [linkName(reading, `${folder}/md/${entry}/block`) ?? entry.slice('dev-'.length)]
    })
  }
  return /^bcache\d/.test(name) ? bcacheMembers(reading, folder) : []
}

/**
 * `bcache` links to the folder of the backing device, and `bcache/cache` to the set, whose `cacheN` links
 * lead to the caches.
 */
function bcacheMembers(reading: Reading, folder: string): readonly string[] {
  const backing = reading.system.readLink(`${folder}/bcache`)
  const set = linkName(reading, `${folder}/bcache/cache`)
  const caches =
    set === undefined
      ? []
      : namesIn(reading, `/sys/fs/bcache/${set}`).filter((name) => /^cache\d+$/.test(name))
  const links = [backing, ...caches.map((name) => reading.system.readLink(`/sys/fs/bcache/${set}/${name}`))]
  return links
    .flatMap((link) => (link.ok ? [/([^/]+)\/bcache$/.exec(link.value)?.[1] ?? ''] : []))
    .filter(Boolean)
}

type Membership = { readonly whole: string; readonly member: string }

/** `md0 : active raid1 sdb1[1] sda1[0](F)` */
function arraysIn(mdstat: string): Membership[] {
  const found: Membership[] = []
  for (const [, whole = '', rest = ''] of mdstat.matchAll(/^(md\S*) : (.*)$/gm)) {
    for (const [, member = ''] of rest.matchAll(/(\S+?)\[\d+\]/g))
      found.push({ whole, member: member.replaceAll('/', '!') })
  }
  return found
}

/**
 * Unraid's driver has its own lines and no `slaves/`: `diskName.1=md1p1` beside `rdevName.1=sdb` (older
 * versions do not name the array device). Slots 0 and 29 are parity; every write to any disk also writes to
 * them.
 */
function unraidArraysIn(mdstat: string): Membership[] {
  const names = new Map(
    [...mdstat.matchAll(/^diskName\.(\d+)=(\S+)$/gm)].map(([, slot = '', name = '']) => [slot, name]),
  )
  const found: Membership[] = []
  for (const [, slot = '', member = ''] of mdstat.matchAll(/^rdevName\.(\d+)=(\S+)$/gm)) {
    const isParity = slot === '0' || slot === '29'
    const wholes = isParity ? [...names.values()] : [names.get(slot) ?? '', `md${slot}`, `md${slot}p1`]
    for (const whole of wholes) found.push({ whole, member })
  }
  return found
}

export type Legs = {
  /** `any`: one leg is enough. */
  readonly kind: 'all' | 'any'
  /** Members that carry no data of the device today. */
  readonly broken: ReadonlySet<string>
  /** A reason, if the device has more members than are shown. */
  readonly missing?: string
}

/**
 * How the device depends on its members. One leg is enough only for an md mirror, whose legs are the members
 * in sync, and for a multipath map, whose legs are the running paths. Every other device needs all members.
 */
export function legsOf(reading: Reading, block: Block, members: readonly string[]): Legs {
  if (textOf(reading, `${block.folder}/dm/uuid`)?.startsWith('mpath-') === true)
    return { kind: 'any', broken: new Set(members.filter((name) => !isRunning(reading, name))) }
  if (!block.name.startsWith('md')) return { kind: 'all', broken: new Set() }
  const stated = numberOf(textOf(reading, `${block.folder}/md/raid_disks`))
  const degraded = numberOf(textOf(reading, `${block.folder}/md/degraded`))
  const gap = stated !== undefined && degraded !== undefined && members.length < stated - degraded
  const missing = gap ? { missing: `it has ${stated} members and not all of them are shown` } : {}
  const level = textOf(reading, `${block.folder}/md/level`)
  if (level !== 'raid1') return { kind: 'all', broken: new Set(), ...missing }
  const status = mdstatOf(reading, block.name)
  const broken = new Set(members.filter((name) => !isInSync(reading, block, name, status)))
  return { kind: 'any', broken, ...missing }
}

/** A path carries data only if its state says that it runs. */
function isRunning(reading: Reading, name: string): boolean {
  const state = textOf(reading, `/sys/class/block/${name}/device/state`)
  return state === 'running' || state === 'live'
}

/** The line of an array and the one after it, which ends with `[2/2] [UU]`. */
function mdstatOf(reading: Reading, name: string): string {
  const text = textOf(reading, '/proc/mdstat', 1 << 20) ?? ''
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`${name} : `))
  return at < 0 ? '' : lines.slice(at, at + 2).join('\n')
}

/**
 * Documentation/admin-guide/md.rst: `state` lists `in_sync`, `faulty`, `spare` …; mdstat marks a whole array
 * `[UU]`.
 */
function isInSync(reading: Reading, { folder }: Block, member: string, status: string): boolean {
  const state = textOf(reading, `${folder}/md/dev-${member}/state`)
  if (state !== undefined) return state.split(',').includes('in_sync') && !state.includes('faulty')
  const isWhole = /\[(\d+)\/\1\] \[U+\]/.test(status)
  return isWhole && status.includes(`${member}[`) && !/\((?:F|S|R|J)\)/.test(status)
}
