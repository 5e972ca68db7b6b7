/**
 * A device on vfio-pci shows no MAC, no NVMe serial and no disks behind it any more. What was recorded about
 * the device in that place is put back into the Host before planning, so that a spec that names a disk still
 * finds its controller after `apply`.
 */
import type { Host } from '../../host/host.ts'
import { compareIdentity } from '../../pci/compare-identity.ts'
import type { PciDevice } from '../../pci/device.ts'
import { identityOf, indexDevices, type Identity } from '../../pci/identity.ts'

/** `known` is searched from the first: the same place, the same ids, and no serial that speaks against it. */
export function recallSerials(host: Host, known: readonly Identity[]): Host {
  const index = indexDevices(host.devices)
  const byPath = new Map<string, Identity[]>()
  for (const identity of known)
    if (identity.path !== undefined)
      byPath.set(identity.path, [...(byPath.get(identity.path) ?? []), identity])
  if (byPath.size === 0) return host
  const devices = host.devices.map((device) => {
    if (device.driver !== 'vfio-pci') return device
    const identity = identityOf(device, index)
    const match = byPath.get(identity.path ?? '')?.find((one) => compareIdentity(one, identity) !== 'other')
    return match === undefined ? device : withSerials(device, match)
  })
  return { ...host, devices }
}

function withSerials(
  device: PciDevice,
  { macs, diskSerials, nvmeSerial, sasAddress, vpdSerial }: Identity,
): PciDevice {
  const hasPorts = (device.networkInterfaces ?? []).length > 0
  const hasDisks = (device.disks ?? []).length > 0
  return {
    ...device,
    ...(hasPorts || macs === undefined
      ? {}
      : { networkInterfaces: macs.map((permanentMac) => ({ name: 'bound', permanentMac })) }),
    ...(hasDisks || diskSerials === undefined
      ? {}
      : { disks: diskSerials.map((serial) => ({ name: 'bound', serial })) }),
    ...(device.nvmeSerial !== undefined || nvmeSerial === undefined ? {} : { nvmeSerial }),
    ...(device.sasAddress !== undefined || sasAddress === undefined ? {} : { sasAddress }),
    ...(device.vpdSerial !== undefined || vpdSerial === undefined ? {} : { vpdSerial }),
  }
}
