/** Cards alike in every id are told apart by place and serial only; ids on a command line would take them all. */
import { isBridge, isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { slotOf, type PciAddress } from '../../pci/address.ts'
import { nothing, type Check } from '../check.ts'
import { addressesText } from '../words.ts'

const maxNamed = 6

export const checkIdentical: Check = (device, view) => {
  if (isBridge(device) || isVirtualFunction(device)) return nothing
  const alike = view.alike(device)
  // A machine may have hundreds of equal functions: only the first few are named, the rest counted.
  const others: PciAddress[] = []
  const slot = `${slotOf(device.address)}.`
  for (let at = 0; at < alike.length && others.length <= maxNamed; at++) {
    const address = alike[at]?.address
    if (address !== undefined && !address.startsWith(slot)) others.push(address)
  }
  if (others.length === 0) return nothing
  const rest = others.length > maxNamed ? ' and more' : ''
  const told = hasSerial(device)
    ? 'its place and serial tell it apart'
    : 'it states no serial, so only its place tells it apart'
  return [
    {
      code: 'identical-devices',
      severity: 'note',
      message: `${device.address} has the same ids as ${addressesText(others.slice(0, maxNamed))}${rest}; ${told}`,
      help: 'never bind it by vendor and device id',
      about: [device.address, ...others],
    },
  ]
}

function hasSerial({ deviceSerialNumber, nvmeSerial, sasAddress, vpdSerial, networkInterfaces }: PciDevice): boolean {
  if (deviceSerialNumber || nvmeSerial || sasAddress || vpdSerial) return true
  return networkInterfaces?.some((one) => one.permanentMac !== undefined) === true
}
