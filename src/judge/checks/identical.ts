/** Cards alike in every id are told apart by place and serial only; ids on a command line would take them all. */
import { isBridge, isVirtualFunction, type PciDevice } from '../../pci/device.ts'
import { isSameSlot } from '../../pci/address.ts'
import type { Check } from '../check.ts'
import { addressesText } from '../words.ts'

export const checkIdentical: Check = (device, view) => {
  if (isBridge(device) || isVirtualFunction(device)) return []
  const others = view.alike(device).filter((one) => !isSameSlot(one.address, device.address))
  if (others.length === 0) return []
  const told = hasSerial(device)
    ? 'its place and serial tell it apart'
    : 'it states no serial, so only its place tells it apart'
  return [
    {
      code: 'identical-devices',
      severity: 'note',
      message: `${device.address} has the same ids as ${addressesText(others.map((one) => one.address))}; ${told}`,
      help: 'never bind it by vendor and device id',
      about: [device.address, ...others.slice(0, 8).map((one) => one.address)],
    },
  ]
}

function hasSerial(device: PciDevice): boolean {
  return (
    [device.deviceSerialNumber, device.nvmeSerial, device.sasAddress, device.vpdSerial].some(Boolean) ||
    (device.networkInterfaces ?? []).some((one) => one.permanentMac !== undefined)
  )
}
