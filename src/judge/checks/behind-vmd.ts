/**
 * A drive behind a Volume Management Device: the `vmd` driver makes its domain, and takes it away when the
 * host lets go of the VMD (`vmd_remove`, drivers/pci/controller/vmd.c). The VMD itself may go, with every
 * drive behind it.
 */
import type { PciAddress } from '../../pci/address.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import { isBehindVmd } from '../group-mates.ts'
import { mentions, says } from '../reasons.ts'
import { siliconOf } from '../silicon.ts'
import type { Reason } from '../types.ts'
import type { HostView } from '../host-view.ts'
import { addressesText } from '../words.ts'

export const checkBehindVmd: Check = (device, view) => {
  if (device.driver === 'vmd') return ofVmd(device, view)
  if (!isBehindVmd(device) || isBridge(device) || siliconOf(device) !== undefined) return nothing
  const vmds = view.aboveOf(device.address)
  const through = vmds.length === 1 ? `${vmds[0]}, a Volume Management Device,` : 'a Volume Management Device'
  return [
    {
      code: 'behind-vmd',
      severity: 'error',
      ...says(device.address, `exists only while the host drives ${through} and cannot leave alone`),
      help:
        'switch VMD off in the firmware setup, which makes it a drive like any ' +
        `other${vmds.length === 1 ? `, or give ${vmds[0]} away with every drive behind it` : ''}`,
      about: [device.address, ...vmds],
    },
  ]
}

/** Drives that are known to be behind it leave the host with it, though their drivers do not change. */
function ofVmd({ address }: PciDevice, view: HostView): readonly Reason[] {
  const behind = drivesBehind(address, view)
  if (behind.length === 0) return nothing
  return [
    {
      code: 'behind-vmd',
      severity: 'note',
      ...mentions(address, (it) => `with ${it} the host loses what is behind it: ${addressesText(behind)}`),
      about: [address, ...behind],
    },
  ]
}

function drivesBehind(vmd: PciAddress, view: HostView): PciAddress[] {
  return view.host.devices
    .filter((one) => isBehindVmd(one) && !isBridge(one) && siliconOf(one) === undefined)
    .map(({ address }) => address)
    .filter((address) => view.aboveOf(address).includes(vmd))
}
