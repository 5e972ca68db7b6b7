/**
 * Thunderbolt and USB4: the host interface runs the tunnels to the functions of a dock. If the host needs a
 * function behind a tunnel, it also needs the interface.
 */
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import type { HostNeed, LostNeed } from '../../host.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { ownerOf } from '../../read/read-attached.ts'
import type { NeedsRead } from '../ends.ts'

export function withTunnels(reading: Reading, devices: readonly PciDevice[], read: NeedsRead): NeedsRead {
  const interfaces = hostInterfaces(reading)
  if (interfaces.length === 0) return read
  const behind = interfacesOf(reading, devices, interfaces)
  const needs: HostNeed[] = []
  const lost: LostNeed[] = read.lost.map((one) => {
    const more = one.couldBe.flatMap((address) => behind.get(address) ?? [])
    return more.length === 0 ? one : { ...one, couldBe: [...new Set([...one.couldBe, ...more])] }
  })
  for (const need of read.needs) {
    const [device, ...others] = behind.get(need.device) ?? []
    if (device === undefined) continue
    const chain = [...need.chain, need.device]
    if (others.length === 0) needs.push({ ...need, chain, device })
    else lost.push(lostAmong([device, ...others], need))
  }
  return { needs: [...read.needs, ...needs], lost }
}

function lostAmong(couldBe: readonly PciAddress[], { kind, what, chain, device }: HostNeed): LostNeed {
  return {
    kind,
    what,
    chain,
    lost: device,
    why: 'nothing says which Thunderbolt interface runs its tunnel',
    couldBe,
  }
}

/**
 * Host interfaces with an authorized router behind them. The router is `0-1`; `0-0` is the interface itself.
 */
function hostInterfaces(reading: Reading): PciAddress[] {
  const folder = '/sys/bus/thunderbolt/devices'
  const found = new Set<PciAddress>()
  for (const name of namesIn(reading, folder)) {
    if (!/^\d+-[1-9a-f][0-9a-f]*$/.test(name) || textOf(reading, `${folder}/${name}/authorized`) === '0')
      continue
    const device = ownerOf(linkOf(reading, `${folder}/${name}`))
    if (device !== undefined) found.add(device)
  }
  return [...found]
}

/**
 * Function → the interfaces that may run its tunnel. The kernel links a tunnelled port to its interface
 * (drivers/thunderbolt/acpi.c: `supplier:pci:0000:00:0d.2` in the folder of the port). Without that link, any
 * interface may run the tunnel of a removable function.
 */
function interfacesOf(
  reading: Reading,
  devices: readonly PciDevice[],
  interfaces: readonly PciAddress[],
): Map<PciAddress, readonly PciAddress[]> {
  const behind = new Map<PciAddress, readonly PciAddress[]>()
  const ports = new Map(
    interfaces.flatMap((one) => linked(reading, one, 'consumer').map((port) => [port, one] as const)),
  )
  for (const { address } of devices) {
    if (interfaces.includes(address)) continue
    const folders = linkOf(reading, `/sys/bus/pci/devices/${address}`)?.split('/') ?? []
    const way = folders.flatMap((folder) => parseAddress(folder) ?? []).toReversed()
    const supplier = way.flatMap((at) => ports.get(at) ?? suppliersOf(reading, at, interfaces))[0]
    if (supplier !== undefined) behind.set(address, [supplier])
    else if (way.some((at) => textOf(reading, `/sys/bus/pci/devices/${at}/removable`) === 'removable'))
      behind.set(address, interfaces)
  }
  return behind
}

/** Reads this link in the folder of the port. */
function suppliersOf(reading: Reading, port: PciAddress, interfaces: readonly PciAddress[]): PciAddress[] {
  return linked(reading, port, 'supplier').filter((one) => interfaces.includes(one))
}

/**
 * `consumer:pci:0000:00:07.0` in the folder of an interface names a port that it runs (drivers/base/core.c).
 */
function linked(reading: Reading, address: PciAddress, side: 'consumer' | 'supplier'): PciAddress[] {
  const start = `${side}:pci:`
  const names = namesIn(reading, `/sys/bus/pci/devices/${address}`).filter((name) => name.startsWith(start))
  return names.flatMap((name) => parseAddress(name.slice(start.length)) ?? [])
}
