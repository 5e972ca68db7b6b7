/**
 * Cards alike in every id differ by place and serial only: ids on a command line take all of them.
 */
import { isBridge, isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { slotOf } from '../../pci/address.ts'
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'
import type { Reason } from '../types.ts'
import type { Alike } from '../host-view.ts'
import { addressesText } from '../words.ts'

const maxNamed = 6

export const checkIdentical: Check = (device, view) => {
  if (isBridge(device) || isVirtualFunction(device)) return nothing
  const alike = view.alike(device)
  if (alike === undefined) return nothing
  const others = countElsewhere(alike.devices, device)
  if (others === 0) return nothing
  return others > maxNamed ? reasonOfMany(alike, hasSerial(device)) : [reasonOfOne(device, alike)]
}

/** How many are not in the device's own slot; of hundreds, that there are more than are named. */
function countElsewhere(alike: readonly PciDevice[], device: PciDevice): number {
  const slot = `${slotOf(device.address)}.`
  let count = 0
  for (let at = 0; at < alike.length && count <= maxNamed; at++)
    if (!alike[at]?.address.startsWith(slot)) count += 1
  return count
}

/** What is the same, in words that claim no id that was not read. */
function sameWords({ bySubsystem }: Alike): string {
  return bySubsystem ? 'the same ids' : 'the same vendor and device id (subsystems are not known)'
}

function reasonOfOne(device: PciDevice, alike: Alike): Reason {
  const slot = `${slotOf(device.address)}.`
  const others = alike.devices.map(({ address }) => address).filter((address) => !address.startsWith(slot))
  const told = hasSerial(device)
    ? 'its place and serial tell it apart'
    : 'no serial of it is known, so only its place tells it apart'
  return {
    ...common,
    ...says(device.address, `has ${sameWords(alike)} as ${addressesText(others)}; ${told}`),
    about: [device.address, ...others],
  }
}

/**
 * A machine may have hundreds of equal functions: one reason serves all that state a serial, and one the
 * others.
 */
const told = new WeakMap<Alike, Map<boolean, readonly Reason[]>>()

function reasonOfMany(alike: Alike, withSerial: boolean): readonly Reason[] {
  const known = told.get(alike) ?? new Map<boolean, readonly Reason[]>()
  told.set(alike, known)
  let reasons = known.get(withSerial)
  if (reasons === undefined) {
    const about = alike.devices.map(({ address }) => address)
    const how = withSerial
      ? 'their places and serials tell them apart'
      : 'where no serial is known, only their places tell them apart'
    const message = `${about.length} devices have ${sameWords(alike)}: ${addressesText(about)}; ${how}`
    known.set(withSerial, (reasons = [{ ...common, message, about }]))
  }
  return reasons
}

const common = {
  code: 'identical-devices',
  severity: 'note',
  help: 'never bind it by vendor and device id',
} as const

function hasSerial({
  deviceSerialNumber,
  nvmeSerial,
  sasAddress,
  vpdSerial,
  networkInterfaces,
}: PciDevice): boolean {
  if (deviceSerialNumber || nvmeSerial || sasAddress || vpdSerial) return true
  return networkInterfaces?.some((one) => one.permanentMac !== undefined) === true
}
