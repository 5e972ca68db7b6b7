/**
 * Finds the end of a block device without members: the PCI function in its path, memory, a server, a device
 * of the board, or an unknown end.
 */
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { ownerOfBlock, type Block, type Blocks } from './blocks.ts'
import { couldCarryDisks } from '../could-be.ts'
import type { End } from '../ends.ts'
import { couldCarryNetwork } from '../network/could-carry.ts'
import { anyOf, type Leg } from '../sets.ts'

/** Ends that only the file systems can find. */
export type Beyond = {
  /** The ends of a device file, or of a plain file on a file system. */
  readonly file: (path: string) => readonly End[]
  /** A volume of ZFS. */
  readonly zvol: (block: Block) => readonly End[]
}

export type Places = {
  readonly reading: Reading
  readonly blocks: Blocks
  readonly devices: readonly PciDevice[]
  readonly beyond: Beyond
}

export function placeEnds(places: Places, block: Block): readonly End[] {
  const { place } = block
  const whole = places.blocks.byName.get(block.disk ?? '') ?? block
  const subsystem = /nvme-subsystem\/(nvme-subsys\d+)/.exec(place ?? '')?.[1]
  if (subsystem !== undefined) return subsystemEnds(places, subsystem, whole)
  const fabric = /\/nvme-fabrics\/ctl\/(nvme\d+)/.exec(place ?? '')?.[1]
  if (fabric !== undefined) return controllerEnds(places, fabric)
  const owner = ownerOfBlock(block)
  if (owner !== undefined) return [{ to: 'function', chain: [], device: owner }]
  return virtualEnds(places, whole)
}

function elsewhere(why: string): readonly End[] {
  return [{ to: 'elsewhere', chain: [], why }]
}

function lostAt(lost: string, why: string): Extract<End, { to: 'lost' }> {
  return { to: 'lost', chain: [], lost, why }
}

function virtualEnds({ reading, devices, blocks, beyond }: Places, block: Block): readonly End[] {
  const { name, folder, place } = block
  if (/^loop\d/.test(name)) {
    const file = textOf(reading, `${folder}/loop/backing_file`)
    return file === undefined || file === ''
      ? [lostAt(name, 'nothing says which file it shows')]
      : beyond.file(file)
  }
  if (/^zram\d/.test(name)) return zramEnds(reading, folder, beyond)
  if (/^zd\d/.test(name)) return beyond.zvol(block)
  if (/^ram\d/.test(name)) return elsewhere('it is in memory')
  if (place === undefined) return [lostAt(name, 'no link says where it is')]
  if (/\/session\d+\//.test(place)) return iscsiEnds(reading, block, devices)
  if (/\/virtual\/net\//.test(place)) return interfaceEnds(reading, block)
  if (place.includes('/nvdimm-bridge')) return [lostAt(name, 'nothing says which memory device it is on')]
  if (/^(?:rbd|nbd)\d/.test(name)) return elsewhere('it is a disk of a server, whose port is followed')
  if (/^(?:etherd|drbd)/.test(name)) {
    const couldBe = [
      ...new Set([...couldCarryNetwork(reading, devices), ...couldCarryDisks(devices, blocks)]),
    ]
    return [{ ...lostAt(name, 'nothing says which server or disk it shows'), couldBe }]
  }
  if (isOfTheBoard(place)) return elsewhere('it is a device of the board and no PCI function')
  return [lostAt(name, 'nothing says what it stands on')]
}

/**
 * Devices on other buses than PCI: eMMC and virtio-mmio on the platform bus, Hyper-V and pmem below ACPI,
 * Xen, channel I/O of s390.
 */
function isOfTheBoard(place: string): boolean {
  return (
    /^\/devices\/(?:platform|LNXSYSTM:\d+|vbd-\d+|css\d+|soc[^/]*|ndbus\d+|vio|axi|amba|mmio|legacy|pnp\d+)(?:\/|$)/.test(
      place,
    ) && !/\/host\d+\/(?:session|rport)/.test(place)
  )
}

/** Documentation/admin-guide/blockdev/zram.rst: pages that are written back exist only on `backing_dev`. */
function zramEnds(reading: Reading, folder: string, beyond: Beyond): readonly End[] {
  const stated = reading.system.readText(`${folder}/backing_dev`, 4096)
  const backing = textOf(reading, `${folder}/backing_dev`)
  // A kernel without writeback has none of these files (CONFIG_ZRAM_WRITEBACK).
  const writesBack = ['bd_stat', 'writeback', 'writeback_limit'].some(
    (file) => textOf(reading, `${folder}/${file}`) !== undefined,
  )
  if (!stated.ok && (stated.reason !== 'absent' || writesBack))
    return [lostAt(folder.slice(folder.lastIndexOf('/') + 1), 'nothing says to which disk it writes back')]
  if (backing === undefined || backing === '' || backing === 'none') return elsewhere('it is in memory')
  return beyond.file(backing)
}

/** The network reader follows an iSCSI connection by its address. */
function iscsiEnds(reading: Reading, { name, place }: Block, devices: readonly PciDevice[]): readonly End[] {
  const session = /\/session(\d+)\//.exec(place ?? '')?.[1] ?? ''
  const folder = '/sys/class/iscsi_connection'
  const connections = namesIn(reading, folder).filter((one) => one.startsWith(`connection${session}:`))
  const stated = connections.some(
    (one) =>
      textOf(reading, `${folder}/${one}/address`) || textOf(reading, `${folder}/${one}/persistent_address`),
  )
  return stated
    ? elsewhere('it is a disk of a server reached by iSCSI, whose port is followed')
    : [
        {
          ...lostAt(name, `nothing says over which port session ${session} of iSCSI runs`),
          couldBe: couldCarryNetwork(reading, devices),
        },
      ]
}

/** FCoE in software on a VLAN: the path names the interface, and its `lower_*` links lead to the card. */
function interfaceEnds(reading: Reading, { name, place }: Block): readonly End[] {
  const ends: End[] = []
  const pending = [/\/virtual\/net\/([^/]+)/.exec(place ?? '')?.[1] ?? '']
  for (const [at, one] of pending.entries()) {
    if (at > 64) break
    const owner = ownerOf(linkOf(reading, `/sys/class/net/${one}`))
    if (owner) ends.push({ to: 'function', chain: pending.slice(0, at + 1), device: owner })
    else
      for (const entry of namesIn(reading, `/sys/class/net/${one}`))
        if (entry.startsWith('lower_')) pending.push(entry.slice('lower_'.length))
  }
  return ends.length > 0 ? ends : [lostAt(name, `nothing says over which port ${pending[0] ?? ''} runs`)]
}

/**
 * With native NVMe multipath the path of a namespace has no PCI function, but the paths of its controllers
 * do. A controller carries data only if it is live and its path to the namespace is accessible.
 */
function subsystemEnds(places: Places, subsystem: string, block: Block): readonly End[] {
  const controllers = controllersOf(places, subsystem)
  if (controllers.length === 0) return [lostAt(block.name, `nothing says which controllers ${subsystem} has`)]
  const legs = controllers.map((name): Leg => ({
    ends: controllerEnds(places, name),
    isBroken: !isLive(places.reading, name, block.name),
  }))
  return anyOf(subsystem, legs)
}

/**
 * The controllers in the folder of the subsystem, and those in the names of the hidden paths
 * `nvme<subsystem>c<controller>n<namespace>`.
 */
function controllersOf({ reading, blocks }: Places, subsystem: string): string[] {
  const folders = [
    `/sys/class/nvme-subsystem/${subsystem}`,
    `/sys/devices/virtual/nvme-subsystem/${subsystem}`,
  ]
  const listed = folders
    .flatMap((folder) => namesIn(reading, folder))
    .filter((name) => /^nvme\d+$/.test(name))
  const hidden = new RegExp(`^nvme${subsystem.slice('nvme-subsys'.length)}c(\\d+)n\\d+$`)
  const known = [...blocks.byName.keys()].flatMap((name) => hidden.exec(name)?.[1] ?? [])
  return [...new Set([...listed, ...known.map((number) => `nvme${number}`)])].sort()
}

function isLive(reading: Reading, controller: string, namespace: string): boolean {
  const folder = `/sys/class/nvme/${controller}`
  if (textOf(reading, `${folder}/state`) !== 'live') return false
  const [, subsystem = '', id = ''] = /^nvme(\d+)n(\d+)$/.exec(namespace) ?? []
  const path = `${folder}/nvme${subsystem}c${controller.slice('nvme'.length)}n${id}`
  const state = textOf(reading, `${path}/ana_state`)
  return state === undefined || state === 'optimized' || state === 'non-optimized'
}

/**
 * The end depends on `transport`: `pcie` names the function and `fc` the port of the adapter. For `tcp` and
 * `rdma` the network reader follows the address.
 */
function controllerEnds(places: Places, name: string): readonly End[] {
  const { reading } = places
  const folder = `/sys/class/nvme/${name}`
  const transport = textOf(reading, `${folder}/transport`)
  const address = textOf(reading, `${folder}/address`) ?? ''
  const owner = ownerOf(linkOf(reading, folder))
  if (transport === 'pcie' || owner !== undefined) {
    const device = parseAddress(address) ?? owner
    if (device !== undefined) return [{ to: 'function', chain: [name], device }]
  }
  if (transport === 'fc')
    return fibreEnds(places, name, `${address},${textOf(reading, `${folder}/host_traddr`) ?? ''}`)
  if ((transport === 'tcp' || transport === 'rdma') && /traddr=[^,\s]/.test(address))
    return [{ to: 'elsewhere', chain: [name], why: 'it is a disk of a server, whose port is followed' }]
  return [{ ...lostAt(name, 'nothing says where this NVMe controller is'), chain: [name] }]
}

/**
 * `host_traddr=nn-0x…:pn-0x…` is the port name of an adapter (drivers/nvme/host/fc.c); /sys/class/fc_host has
 * the name of each adapter.
 */
function fibreEnds({ reading, devices, blocks }: Places, name: string, address: string): readonly End[] {
  const port = /(?:host_traddr=|,)nn-0x[0-9a-f]+:pn-0x([0-9a-f]{16})/i.exec(address)?.[1]?.toLowerCase()
  const adapters: PciAddress[] = []
  for (const host of namesIn(reading, '/sys/class/fc_host')) {
    const device = ownerOf(linkOf(reading, `/sys/class/fc_host/${host}`))
    if (device === undefined) continue
    const own = textOf(reading, `/sys/class/fc_host/${host}/port_name`)?.replace(/^0x/, '').toLowerCase()
    if (port !== undefined && own === port) return [{ to: 'function', chain: [name, host], device }]
    adapters.push(device)
  }
  const fibre = devices
    .filter(({ classCode }) => classCode?.startsWith('0c04') === true)
    .map((one) => one.address)
  const couldBe = [...new Set([...adapters, ...fibre])]
  const why = 'no Fibre Channel adapter has the port name that it states'
  return [
    {
      ...lostAt(name, why),
      chain: [name],
      couldBe: couldBe.length > 0 ? couldBe : couldCarryDisks(devices, blocks),
    },
  ]
}
