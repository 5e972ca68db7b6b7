/**
 * The functions at which a lost need of the network could physically end. A port is left out only if it is
 * proven to carry nothing: it is down and has no address, nothing is built on it, and no configuration brings
 * it up.
 */
import type { PciAddress } from '../../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../../pci/device.ts'
import type { Reading } from '../../read/reading.ts'
import { readConfigured, type Configured } from './configured.ts'
import { addressedInterfaces, networkFacts, type NetworkFacts } from './facts.ts'

export type CouldCarry = {
  /** Ports that may carry something now or at the next start. */
  readonly inUse: () => readonly PciAddress[]
  /** Every port, for the case that the addresses are unknown. */
  readonly any: () => readonly PciAddress[]
}

/** The ports in use, for readers of other needs that lead into the network. */
export function couldCarryNetwork(reading: Reading, devices: readonly PciDevice[]): readonly PciAddress[] {
  return couldCarry(networkFacts(reading), devices, readConfigured(reading, devices)).inUse()
}

export function couldCarry(
  facts: NetworkFacts,
  devices: readonly PciDevice[],
  configured: Configured,
): CouldCarry {
  const byOwner = new Map<PciAddress, string[]>()
  for (const { name, owner } of facts.interfaces.byName.values())
    if (owner !== undefined) byOwner.set(owner, [...(byOwner.get(owner) ?? []), name])
  const areListed = facts.interfaces.gap === undefined && facts.interfaces.byName.size > 0
  const isPort = (device: PciDevice): boolean =>
    byOwner.has(device.address) || mayHavePorts(device, areListed)
  let idle: Set<string> | undefined
  const isIdle = (device: PciDevice): boolean => {
    idle ??= idleInterfaces(facts, configured)
    const names = byOwner.get(device.address) ?? []
    return names.length > 0 && areListed && names.every((name) => idle?.has(name))
  }
  let any: PciAddress[] | undefined
  let inUse: PciAddress[] | undefined
  return {
    any: () => (any ??= devices.filter(isPort).map(({ address }) => address)),
    inUse: () =>
      (inUse ??= devices.filter((device) => isPort(device) && !isIdle(device)).map(({ address }) => address)),
  }
}

/**
 * A driver without a port here may have one in another namespace, and a USB controller may have a port that
 * is not listed.
 */
function mayHavePorts(device: PciDevice, areListed: boolean): boolean {
  if (!isHeldOrUnknown(device)) return false
  const kind = deviceClass(device)
  return kind === 'nic' || (!areListed && kind === 'usb')
}

/** The host sees no port of a function that has no driver or is reserved for a guest. */
export function isHeldOrUnknown({ driver }: PciDevice): boolean {
  return driver !== null && !/^(?:vfio|pci-stub|pciback|xen-pciback|uio|igb_uio)/.test(driver ?? '')
}

function idleInterfaces(facts: NetworkFacts, configured: Configured): Set<string> {
  const idle = new Set<string>()
  if (facts.addresses.gaps.length > 0 || configured.gaps.length > 0) return idle
  const addressed = addressedInterfaces(facts)
  for (const one of facts.interfaces.byName.values()) {
    const isFree = one.isUp === false && one.upper.length === 0 && one.gap === undefined
    if (isFree && !addressed.has(one.name) && configured.by(one.name) === undefined) idle.add(one.name)
  }
  return idle
}
