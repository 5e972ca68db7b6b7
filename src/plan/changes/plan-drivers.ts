/**
 * The driver steps: every function that leaves gets vfio-pci, one verified device at a time. Bridges never
 * change drivers.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { Identity } from '../../pci/identity.ts'
import type { Layout } from '../who/cards.ts'
import type { Step } from '../../steps/step.ts'

type Leaving = {
  readonly vm: string
  readonly address: PciAddress
  readonly identity: Identity
  readonly role?: string
}

/**
 * Nothing for a device that is already as wanted. An unstated driver counts as none: only the live machine is
 * changed, and it states it.
 */
export function planDrivers(leaving: readonly Leaving[], layout: Layout): Step[] {
  const after = { driver: 'vfio-pci', driverOverride: 'vfio-pci' }
  return leaving.flatMap(({ vm, address, identity, role }): Step[] => {
    const device = layout.devices.get(address)
    const before = { driver: device?.driver ?? null, driverOverride: device?.driverOverride ?? null }
    if (before.driver === after.driver && before.driverOverride === after.driverOverride) return []
    const why = role === undefined ? `goes along to ${vm}` : `${role} of ${vm}`
    return [{ kind: 'driver', address, identity, before, after, why }]
  })
}
