/**
 * A storage controller that a VM has may be missing from its place at a boot: moved to another slot, swapped
 * with its twin, or replaced. The host would then assemble or import the disks behind it, and they would have
 * two owners. The early binding keeps what could be it from every driver until a person has looked: a
 * controller of that kind, and what is in its place now. It never holds a controller that the host had when
 * the plan was made.
 */
import type { Guard } from '../../boot/early-binding.ts'
import type { Host } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { identityOf, indexDevices } from '../../pci/identity.ts'

export function guardsOf({ devices, needs }: Host, leaving: ReadonlySet<PciAddress>): Guard[] {
  const index = indexDevices(devices)
  const needed = new Set(needs.map(({ device }) => device))
  const controllers = devices.filter(isController)
  const given = controllers.filter(({ address }) => leaving.has(address))
  const kinds = new Set(given.map(kindOf))
  if (given.length === 0) return []
  const staying = controllers.filter(
    (device) => !leaving.has(device.address) && (needed.has(device.address) || kinds.has(kindOf(device))),
  )
  const line = (whose: Guard['whose']) => (device: PciDevice) => ({
    whose,
    identity: identityOf(device, index),
  })
  // Without a place nothing can be missing from it.
  const placed = given.map(line('guest')).filter(({ identity }) => identity.path !== undefined)
  return [...placed, ...staying.map(line('host'))]
}

/** Virtual functions are made later, by the physical function. */
function isController({ classCode, physFn, vendorId, deviceId }: PciDevice): boolean {
  const isKnown = vendorId !== undefined && deviceId !== undefined
  return classCode?.startsWith('01') === true && physFn === undefined && isKnown
}

function kindOf({ vendorId, deviceId }: PciDevice): string {
  return `${vendorId}:${deviceId}`
}
