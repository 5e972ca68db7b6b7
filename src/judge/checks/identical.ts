/** Cards alike in every id are told apart by place and serial only; ids on a command line would take them all. */
import { isBridge, isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { slotOf } from '../../pci/address.ts'
import { nothing, type Check } from '../check.ts'
import type { Reason } from '../types.ts'
import { addressesText } from '../words.ts'

const maxNamed = 6

export const checkIdentical: Check = (device, view) => {
  if (isBridge(device) || isVirtualFunction(device)) return nothing
  const alike = view.alike(device)
  const others = countElsewhere(alike, device)
  if (others === 0) return nothing
  return others > maxNamed ? reasonOfMany(alike, hasSerial(device)) : [reasonOfOne(device, alike)]
}

/** How many are not in the device's own slot; of hundreds, that there are more than are named. */
function countElsewhere(alike: readonly PciDevice[], device: PciDevice): number {
  const slot = `${slotOf(device.address)}.`
  let count = 0
  for (let at = 0; at < alike.length && count <= maxNamed; at++) if (!alike[at]?.address.startsWith(slot)) count += 1
  return count
}

function reasonOfOne(device: PciDevice, alike: readonly PciDevice[]): Reason {
  const slot = `${slotOf(device.address)}.`
  const others = alike.map(({ address }) => address).filter((address) => !address.startsWith(slot))
  const told = hasSerial(device)
    ? 'its place and serial tell it apart'
    : 'it states no serial, so only its place tells it apart'
  return {
    ...common,
    message: `${device.address} has the same ids as ${addressesText(others)}; ${told}`,
    about: [device.address, ...others],
  }
}

/** A machine may have hundreds of equal functions: that is said once for all that state a serial, and once for the others. */
const told = new WeakMap<readonly PciDevice[], Map<boolean, readonly Reason[]>>()

function reasonOfMany(alike: readonly PciDevice[], withSerial: boolean): readonly Reason[] {
  const known = told.get(alike) ?? new Map<boolean, readonly Reason[]>()
  told.set(alike, known)
  let reasons = known.get(withSerial)
  if (reasons === undefined) {
    const about = alike.map(({ address }) => address)
    const how = withSerial
      ? 'their places and serials tell them apart'
      : 'where they state no serial, only their places tell them apart'
    const message = `${about.length} devices have the same ids: ${addressesText(about)}; ${how}`
    known.set(withSerial, (reasons = [{ ...common, message, about }]))
  }
  return reasons
}

const common = {
  code: 'identical-devices',
  severity: 'note',
  help: 'never bind it by vendor and device id',
} as const

function hasSerial({ deviceSerialNumber, nvmeSerial, sasAddress, vpdSerial, networkInterfaces }: PciDevice): boolean {
  if (deviceSerialNumber || nvmeSerial || sasAddress || vpdSerial) return true
  return networkInterfaces?.some((one) => one.permanentMac !== undefined) === true
}
