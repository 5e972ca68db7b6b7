/**
 * Which function carries which needs, proven and lost: itself, or for something that is only there through
 * it.
 */
import type { Host, HostNeed, LostNeed } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { chipsetNeeds } from './chipset.ts'
import { isBehindVmd } from './group-mates.ts'
import { identityWords } from './identity-words.ts'
import { managementNeeds } from './management.ts'

export type Above = (address: PciAddress) => readonly PciAddress[]

/**
 * The functions, no bridges, without which one is not there: a VMD controller above its drives, the physical
 * function.
 */
export function aboveFinder(host: Host, byAddress: ReadonlyMap<PciAddress, PciDevice>): Above {
  let byPath: Map<string, PciDevice> | undefined
  return (address) => {
    const device = byAddress.get(address)
    const steps = device?.path?.split('/') ?? []
    const found: PciAddress[] = []
    for (let length = 2; length < steps.length; length++) {
      byPath ??= new Map(host.devices.flatMap((one) => (one.path ? [[one.path, one] as const] : [])))
      const above = byPath.get(steps.slice(0, length).join('/'))
      if (above && !isBridge(above)) found.push(above.address)
    }
    if (device === undefined) return found
    if (device.physFn !== undefined && byAddress.has(device.physFn)) found.push(device.physFn)
    return found.length === 0 && isBehindVmd(device) ? vmdsOf(device, host) : found
  }
}

/**
 * Where no path says which VMD it is: those of its group (they share it, `pci_real_dma_dev`), else every one.
 */
function vmdsOf({ iommuGroup }: PciDevice, { devices }: Host): PciAddress[] {
  const all = devices.filter(({ driver }) => driver === 'vmd')
  const near = all.filter((one) => typeof iommuGroup === 'number' && one.iommuGroup === iommuGroup)
  return (near.length > 0 ? near : all).map(({ address }) => address)
}

export function needsByFunction(host: Host, above: Above): Map<PciAddress, HostNeed[]> {
  const needs = new Map<PciAddress, HostNeed[]>()
  for (const need of [...host.needs, ...chipsetNeeds(host.devices), ...managementNeeds(host.devices)]) {
    addTo(needs, need.device, need)
    // A function of the board behind a VMD is no need of the VMD.
    if (need.kind === 'chipset') continue
    for (const address of above(need.device))
      addTo(needs, address, { ...need, chain: [...need.chain, need.device] })
  }
  return needs
}

export function lostByFunction(
  host: Host,
  given: {
    readonly above: Above
    readonly byAddress: ReadonlyMap<PciAddress, PciDevice>
    readonly notInUse: readonly string[]
  },
): Map<PciAddress, LostNeed[]> {
  const lost = new Map<PciAddress, LostNeed[]>()
  const words = new Set(given.notInUse.map((word) => word.toLowerCase()))
  for (const need of host.lostNeeds ?? []) {
    const ends = new Set<PciAddress>()
    for (const address of need.couldBe) {
      const device = given.byAddress.get(address)
      if (device && identityWords(device).some((word) => words.has(word))) continue
      ends.add(address)
      for (const higher of given.above(address)) ends.add(higher)
    }
    for (const address of ends) addTo(lost, address, need)
  }
  return lost
}

export function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
