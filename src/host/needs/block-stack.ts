/**
 * From a block device down to PCI functions, by sysfs alone: partition → disk, `slaves/` of dm, md and bcache, the file
 * behind a loop device, the controllers of a multipath NVMe namespace. Cycles and depth are bounded.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { HostNeed } from '../host.ts'
import { ownerOf } from '../read-attached.ts'
import { withOthers } from './ends.ts'
import { linkName, linkOf, namesIn, textOf, type Reading } from '../reading.ts'

export type BlockLeaf = {
  readonly chain: readonly string[]
  readonly device: PciAddress
  readonly redundant?: NonNullable<HostNeed['redundant']>
}

export type Follow = { readonly backingFile: (path: string) => readonly BlockLeaf[] }

const classFolder = '/sys/class/block'

/** Kernel name of a `major:minor`, such as `sda2`. */
export function blockName(reading: Reading, number: string): string | undefined {
  return /^\d+:\d+$/.test(number) ? linkName(reading, `/sys/dev/block/${number}`) : undefined
}

export function blockLeaves(reading: Reading, top: string, follow: Follow): BlockLeaf[] {
  const leaves: BlockLeaf[] = []
  const visited = new Set<string>()
  const walk = (name: string, above: readonly string[], set: string | undefined): void => {
    if (visited.has(name) || visited.size > 4096 || above.length > 32) return
    visited.add(name)
    const chain = [...above, shownName(reading, name)]
    const below = membersOf(reading, name)
    if (below.length > 0) {
      const mirror = below.length > 1 && isMirror(reading, name)
      for (const member of below) walk(member, chain, mirror ? name : set)
      return
    }
    for (const end of endsOf(reading, name, follow)) {
      const redundant = set === undefined ? end.redundant : { set, others: [] }
      leaves.push({ ...end, chain: [...chain, ...end.chain], ...(redundant ? { redundant } : {}) })
    }
  }
  walk(top, [], undefined)
  return withOthers(leaves)
}

/** What lies directly below: slaves of a mapped device; a partition of one has the slaves at its disk. */
function membersOf(reading: Reading, name: string): readonly string[] {
  const slaves = namesIn(reading, `${classFolder}/${name}/slaves`)
  if (slaves.length > 0) return slaves
  const disk = diskOf(reading, name)
  if (disk !== undefined && disk !== name) return namesIn(reading, `${classFolder}/${disk}/slaves`)
  return []
}

/** `…/block/sda/sda2` → `sda`. */
function diskOf(reading: Reading, name: string): string | undefined {
  const parts = linkOf(reading, `${classFolder}/${name}`)?.split('/') ?? []
  const isPartition = reading.system.stat(`${classFolder}/${name}/partition`).ok
  return isPartition ? parts.at(-2) : parts.at(-1)
}

function endsOf(reading: Reading, name: string, follow: Follow): readonly BlockLeaf[] {
  const link = linkOf(reading, `${classFolder}/${name}`)
  const disk = diskOf(reading, name) ?? name
  const subsystem = /nvme-subsystem\/(nvme-subsys\d+)/.exec(link ?? '')?.[1]
  if (subsystem !== undefined) return multipathEnds(reading, subsystem)
  const owner = ownerOf(link)
  if (owner) return [{ chain: [], device: owner }]
  const file = textOf(reading, `${classFolder}/${disk}/loop/backing_file`)
  return file === undefined ? [] : follow.backingFile(file)
}

/**
 * With native NVMe multipath a namespace lives under virtual/ and has no PCI function in its path; its controllers have:
 * transport `pcie` states the function in `address`.
 */
function multipathEnds(reading: Reading, subsystem: string): BlockLeaf[] {
  const folder = `/sys/class/nvme-subsystem/${subsystem}`
  const ends: BlockLeaf[] = []
  const controllers = namesIn(reading, folder).filter((name) => /^nvme\d+$/.test(name))
  for (const name of controllers) {
    if (textOf(reading, `/sys/class/nvme/${name}/transport`) !== 'pcie') continue
    const stated = parseAddress(textOf(reading, `/sys/class/nvme/${name}/address`) ?? '')
    const device = stated ?? ownerOf(linkOf(reading, `/sys/class/nvme/${name}`))
    const redundant = controllers.length > 1 ? { redundant: { set: subsystem, others: [] } } : {}
    if (device) ends.push({ chain: [name], device, ...redundant })
  }
  return ends
}

function isMirror(reading: Reading, name: string): boolean {
  const level = textOf(reading, `${classFolder}/${name}/md/level`)
  if (level !== undefined) return level === 'raid1' || level === 'raid10'
  return textOf(reading, `${classFolder}/${name}/dm/uuid`)?.startsWith('mpath-') === true
}

/** The name a person knows: `vg0/root` for a logical volume, the mapping's name for LUKS and others. */
function shownName(reading: Reading, name: string): string {
  if (!name.startsWith('dm-')) return name
  const label = textOf(reading, `${classFolder}/${name}/dm/name`)
  if (label === undefined) return name
  const uuid = textOf(reading, `${classFolder}/${name}/dm/uuid`) ?? ''
  return uuid.startsWith('LVM-') ? volumeName(label) : label
}

/** dm joins group and volume by one dash and doubles the dashes inside: `my--vg-root` is `my-vg/root`. */
export function volumeName(label: string): string {
  const match = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(label)
  if (!match) return label
  return [match[1], match[2]].map((part) => (part ?? '').replaceAll('--', '-')).join('/')
}

/** File systems shared by a hypervisor have a tag and no block device; the functions of that virtio driver carry them. */
export function ownersOfDriver(reading: Reading, driver: string, tag: string): BlockLeaf[] {
  const folder = `/sys/bus/virtio/drivers/${driver}`
  const owners = namesIn(reading, folder).filter((name) => /^virtio\d+$/.test(name))
  const leaves: BlockLeaf[] = []
  for (const name of owners) {
    const stated = textOf(reading, `${folder}/${name}/mount_tag`)
    const device = ownerOf(linkOf(reading, `${folder}/${name}`))
    if (device && (stated === undefined || stated === tag)) leaves.push({ chain: [tag], device })
  }
  return leaves
}
