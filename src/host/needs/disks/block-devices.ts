/**
 * Lists the block devices of the host, their paths and the needs that depend on them. A plan uses the list to
 * check whether the path of a virtual disk is a device that the host needs.
 */
import type { PciAddress } from '../../../pci/address.ts'
import type { HostBlockDevice } from '../../host.ts'
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { volumeName } from './block-stack.ts'
import type { Block } from './blocks.ts'
import { findByNumber, findDevice } from './device-path.ts'
import type { Disks } from './disks.ts'
import { nodeNumber, programName, type Process } from '../users/processes.ts'
import type { DiskNeed } from './storage.ts'

export function readBlockDevices(
  disks: Disks,
  needs: readonly DiskNeed[],
  processes: readonly Process[],
): HostBlockDevice[] {
  const needed = neededBlocks(disks, needs)
  const held = heldBlocks(disks, processes)
  const linked = linkedPaths(disks)
  return [...disks.blocks.byName.values()]
    .filter(
      ({ name }) => !/^(?:ram|loop)\d+$|^nvme\d+c\d+n\d+$/.test(name) || needed.has(name) || held.has(name),
    )
    .map((block): HostBlockDevice => {
      const heldBy = held.get(block.name)
      return {
        name: block.name,
        paths: pathsOf(disks, block, linked.get(block.name) ?? []),
        neededFor: [...(needed.get(block.name) ?? [])],
        ...(heldBy === undefined ? {} : { heldBy: [...heldBy] }),
        functions: functionsOf(disks, block.name),
      }
    })
}

function functionsOf({ stack }: Disks, name: string): PciAddress[] {
  return [...new Set(stack.endsOf(name).flatMap((end) => (end.to === 'function' ? [end.device] : [])))]
}

/**
 * The devices on which a need depends, wholly or in part. An active volume alone is no need, since it may be
 * made for a VM.
 */
function neededBlocks({ blocks, stack }: Disks, needs: readonly DiskNeed[]): Map<string, Set<string>> {
  const needed = new Map<string, Set<string>>()
  const parts = partitionsOf(blocks.byName)
  for (const { start, top, isActiveOnly } of needs) {
    for (const first of top) {
      for (const name of stack.below(first)) {
        if (isActiveOnly === true && name === first) continue
        add(needed, name, start.what)
        for (const part of parts.get(name) ?? []) add(needed, part, start.what)
        const disk = blocks.byName.get(name)?.disk
        if (disk !== undefined) add(needed, disk, start.what)
      }
    }
  }
  return needed
}

function partitionsOf(blocks: ReadonlyMap<string, Block>): Map<string, string[]> {
  const parts = new Map<string, string[]>()
  for (const { name, disk } of blocks.values()) {
    if (disk === undefined) continue
    const list = parts.get(disk)
    if (list) list.push(name)
    else parts.set(disk, [name])
  }
  return parts
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

/** A program that has a partition open uses the disk too. */
function heldBlocks(
  { reading, namer, blocks }: Disks,
  processes: readonly Process[],
): Map<string, Set<string>> {
  const held = new Map<string, Set<string>>()
  for (const process of processes) {
    for (const file of process.open) {
      const number = nodeNumber(reading, process.pid, file)
      if (number !== undefined && !number.startsWith('block ')) continue
      const found = number === undefined ? findDevice(namer, file.path) : findByNumber(namer, number.slice(6))
      if (found.is !== 'block') continue
      const who = `process ${process.pid} (${programName(reading, process.pid)})`
      add(held, found.name, who)
      const disk = blocks.byName.get(found.name)?.disk
      if (disk !== undefined) add(held, disk, who)
    }
  }
  return held
}

function pathsOf({ reading, namer }: Disks, { name, folder }: Block, linked: readonly string[]): string[] {
  const paths = [`/dev/${name.replaceAll('!', '/')}`]
  const label = name.startsWith('dm-') ? textOf(reading, `${folder}/dm/name`) : undefined
  if (label) {
    paths.push(`/dev/mapper/${label}`)
    const volume = volumeName(label)
    if (volume !== label && textOf(reading, `${folder}/dm/uuid`)?.startsWith('LVM-') === true)
      paths.push(`/dev/${volume}`)
  }
  const links = namer.udev().get(name)?.links ?? []
  return [...new Set([...paths, ...links.map((link) => `/dev/${link}`), ...linked])]
}

const linkFolders = ['by-id', 'by-uuid', 'by-partuuid', 'by-label', 'by-partlabel', 'by-path', 'by-diskseq']

/** Without the udev database, every link in /dev/disk is resolved. */
function linkedPaths({ reading, namer }: Disks): Map<string, string[]> {
  const found = new Map<string, string[]>()
  if (namer.udev().size > 0) return found
  for (const folder of linkFolders) {
    for (const link of namesIn(reading, `/dev/disk/${folder}`)) {
      const path = `/dev/disk/${folder}/${link}`
      const name = endOf(reading, path)
      const list = found.get(name)
      if (list) list.push(path)
      else found.set(name, [path])
    }
  }
  return found
}

function endOf(reading: Reading, path: string): string {
  const real = reading.system.realPath(path)
  return real.ok ? real.value.slice('/dev/'.length).replaceAll('/', '!') : ''
}
