/** Assigned devices with a twin on the host and no serial: only their slot tells them apart. */
import type { Finding } from '../finding.ts'
import { compareAddresses } from '../pci/address.ts'
import { hasSerial } from '../pci/compare-identity.ts'
import { isBridge, isVirtualFunction, type PciDevice } from '../pci/device.ts'
import { identityOf } from '../pci/identity.ts'
import { placeOf } from '../spec/places.ts'
import type { Assignment } from './types.ts'
import type { View } from './view.ts'
import { listWords, nameOf } from './words.ts'

export function checkTwins(view: View, assignments: readonly Assignment[]): Finding[] {
  const said = new Set<string>()
  return assignments.flatMap(({ vm, role, address, identity }): Finding[] => {
    const device = view.layout.devices.get(address)
    if (device === undefined || hasSerial(identity) || isVirtualFunction(device)) return []
    const twins = view.host.devices
      .filter((other) => isTwin(view, device, other))
      .toSorted((a, b) => compareAddresses(a.address, b.address))
    if (twins.length < 2) return []
    const about = twins.map((twin) => twin.address)
    const key = about.join(' ')
    if (said.has(key)) return []
    said.add(key)
    const at = placeOf(view.places, ['vms', vm, 'devices', role], 'key')
    return [
      {
        code: 'identical-devices',
        severity: 'warning',
        message: `${listWords(about)} are of the same kind (${nameOf(device)}) and show no serial: only the slot tells them apart, and ${address} is ${role} of ${vm}`,
        help: 'mark the cards; after swapping them nothing could notice. handover lock SPEC records the slot',
        about,
        ...(at ? { at } : {}),
      },
    ]
  })
}

function isTwin(view: View, device: PciDevice, other: PciDevice): boolean {
  if (isBridge(other) || device.vendorId === undefined || device.deviceId === undefined) return false
  // Ports of one card are told apart by their function number, whatever slot the card is in.
  const sameCard = other !== device && view.layout.cardOf.get(other.address) === view.layout.cardOf.get(device.address)
  return (
    !sameCard &&
    other.vendorId === device.vendorId &&
    other.deviceId === device.deviceId &&
    other.subsystemVendorId === device.subsystemVendorId &&
    other.subsystemId === device.subsystemId &&
    other.address.at(-1) === device.address.at(-1) &&
    (other === device || !hasSerial(identityOf(other, view.layout.devices)))
  )
}
