/**
 * The network the host lives on: default routes, its only address, bridges, the SSH session in use — each walked down
 * through bridges, bonds, VLANs and macvlans to the network cards under it.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { HostNeed, LostNeed } from '../host.ts'
import { ownerOf } from '../read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../reading.ts'
import { couldCarryNetwork } from './could-be.ts'
import { withOthers, type NeedsRead } from './ends.ts'
import { interfaceTowards, isDefault, readRoutes, type Route } from './routes.ts'
import { readSessions } from './sessions.ts'

const netFolder = '/sys/class/net'

export function readNetworkNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const routes = readRoutes(reading)
  const wanted = wantedInterfaces(reading, routes)
  const physFns = new Map(devices.flatMap((d) => (d.physFn ? [[d.address, d.physFn] as const] : [])))
  const needs: HostNeed[] = []
  const lost: LostNeed[] = []
  for (const { name, what, weight } of wanted) {
    const leaves = interfaceLeaves(reading, name)
    if (leaves.length === 0 && weight === 'vital') lost.push(lostNetwork(what, name, couldCarryNetwork(devices)))
    for (const leaf of leaves) {
      const redundant = leaf.redundant ? { redundant: leaf.redundant } : {}
      const isDefaultRoute = what === defaultRoute ? { isDefaultRoute: true } : {}
      needs.push({
        kind: 'network',
        what,
        ...isDefaultRoute,
        chain: leaf.chain,
        device: leaf.device,
        weight,
        ...redundant,
      })
      const physFn = physFns.get(leaf.device)
      // A virtual function lives only as long as the physical one stays with the host.
      if (physFn) needs.push({ kind: 'network', what, chain: [...leaf.chain, leaf.device], device: physFn, weight })
    }
  }
  return { needs, lost }
}

const defaultRoute = 'default route'

function lostNetwork(what: string, name: string, couldBe: readonly PciAddress[]): LostNeed {
  return { kind: 'network', what, chain: [], lost: name, why: 'nothing says which port it runs over', couldBe }
}

type Wanted = { readonly name: string; readonly what: string; readonly weight: HostNeed['weight'] }

/**
 * With a default route, other addresses and bridges are only spoken for. Without one the host has no other way out:
 * whatever carries an address, or is a bridge waiting for one, is vital (a bridge asking by DHCP has no address yet).
 */
function wantedInterfaces(reading: Reading, routes: readonly Route[]): Wanted[] {
  const wanted: Wanted[] = []
  const add = (name: string, what: string, weight: HostNeed['weight']): void => {
    if (!wanted.some((w) => w.name === name && (w.what === what || w.weight === 'vital')))
      wanted.push({ name, what, weight })
  }
  const defaults = new Set(routes.filter(isDefault).map((route) => route.interface))
  for (const name of defaults) add(name, defaultRoute, 'vital')
  for (const session of readSessions(reading)) {
    const name = interfaceTowards(routes, session.client)
    if (name) wanted.push({ name, what: session.what, weight: 'vital' })
  }
  for (const { what, server } of remoteStorage(reading)) {
    const name = interfaceTowards(routes, server)
    if (name) wanted.push({ name, what, weight: 'vital' })
  }
  const weight = defaults.size === 0 ? 'vital' : 'spoken-for'
  for (const name of new Set(routes.map((route) => route.interface))) add(name, `address on ${name}`, weight)
  for (const name of readBridges(reading)) add(name, `bridge ${name}`, weight)
  return wanted
}

/** NFS and CIFS mounts name their server; iSCSI and NVMe over TCP state its address. */
function remoteStorage(reading: Reading): { readonly what: string; readonly server: string }[] {
  const found: { what: string; server: string }[] = []
  for (const line of (textOf(reading, '/proc/self/mountinfo', 16 << 20) ?? '').split('\n')) {
    const address = / - (?:nfs4?|cifs|smb3) .*\baddr=([0-9a-f.:]+)/i.exec(line)?.[1]
    if (address) found.push({ what: `${line.split(' ')[4] ?? '?'} (from ${address})`, server: address })
  }
  for (const connection of namesIn(reading, '/sys/class/iscsi_connection')) {
    const folder = `/sys/class/iscsi_connection/${connection}`
    const address = textOf(reading, `${folder}/address`) || textOf(reading, `${folder}/persistent_address`)
    if (address) found.push({ what: `iSCSI disks from ${address}`, server: address })
  }
  for (const controller of namesIn(reading, '/sys/class/nvme')) {
    const address = /traddr=([^,]+)/.exec(textOf(reading, `/sys/class/nvme/${controller}/address`) ?? '')?.[1]
    if (address) found.push({ what: `NVMe disks from ${address}`, server: address })
  }
  return found
}

/** Bridges of the host's network, by name. */
export function readBridges(reading: Reading): string[] {
  return namesIn(reading, netFolder).filter((name) => reading.system.stat(`${netFolder}/${name}/bridge`).ok)
}

type Leaf = {
  readonly chain: readonly string[]
  readonly device: PciAddress
  readonly redundant?: NonNullable<HostNeed['redundant']>
}

/** Down the stack by `lower_*` links (bridge, bond, VLAN, macvlan, team alike) to interfaces that sit on a PCI function. */
export function interfaceLeaves(reading: Reading, top: string): Leaf[] {
  const leaves: Leaf[] = []
  const visited = new Set<string>()
  const walk = (name: string, above: readonly string[], set: string | undefined): void => {
    if (visited.has(name) || visited.size > 4096 || above.length > 16) return
    visited.add(name)
    const chain = [...above, name]
    const device = ownerOf(linkOf(reading, `${netFolder}/${name}`))
    if (device) {
      leaves.push({ chain, device, ...(set === undefined ? {} : { redundant: { set, others: [] } }) })
      return
    }
    const names = namesIn(reading, `${netFolder}/${name}`)
    const lower = names.flatMap((entry) => (entry.startsWith('lower_') ? [entry.slice('lower_'.length)] : []))
    const isBond = names.includes('bonding')
    for (const below of lower) walk(below, chain, isBond && lower.length > 1 ? name : set)
  }
  walk(top, [], undefined)
  return withOthers(leaves)
}
