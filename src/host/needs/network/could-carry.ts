/**
 * The functions at which a lost trail of the network could physically end. Wider than the truth on purpose: a
 * port is left out only where it is proven to carry nothing: it is down, has no address, nothing stands on
 * it, and no configuration brings it up.
 */
import type { PciAddress } from '../../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../../pci/device.ts'
import type { Reading } from '../../read/reading.ts'
import { readConfigured, type Configured } from './configured.ts'
import { addressedInterfaces, networkFacts, type NetworkFacts } from './facts.ts'

export type CouldCarry = {
  /** Ports that may carry something now, or will. */
  readonly inUse: () => readonly PciAddress[]
  /** Every port there is: where not even the addresses are known. */
  readonly any: () => readonly PciAddress[]
}

/** The same, for readers of other needs whose trail leads into the network. */
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
 * A driver that shows no port here may have it in another namespace; behind USB a port may hang that is not
 * listed.
 */
function mayHavePorts(device: PciDevice, areListed: boolean): boolean {
  if (!isHeldOrUnknown(device)) return false
  const kind = deviceClass(device)
  return kind === 'nic' || (!areListed && kind === 'usb')
}

/** A function without a driver, or one that is kept for a guest, shows the host no port. */
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
