/**
 * The keys by which a spec names one device for good: what the device itself carries before the place it is
 * in, and the address of today last.
 */
import { deviceClass, isBridge, type PciDevice } from '../pci/device.ts'
import { pathOf } from '../pci/identity.ts'
import type { Layout } from '../plan/who/cards.ts'
import { findDevices } from '../plan/who/select.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import type { DeviceSelector } from '../spec/spec.ts'
import { flowMap } from './yaml-text.ts'

export type Keys = Readonly<Record<string, string | number>>

/** The surest keys that mean this device and no other of the host. */
export function keysOf(device: PciDevice, all: readonly PciDevice[], layout: Layout): Keys {
  const endpoints = all.filter((one) => !isBridge(one))
  const isIt = (keys: Keys) => {
    const select = selectorOf(keys)
    const meant = select === undefined ? [] : findDevices(select, endpoints, layout)
    return meant.length === 1 && meant[0] === device
  }
  return candidatesFor(device, layout).find(isIt) ?? { address: device.address }
}

function candidatesFor(device: PciDevice, layout: Layout): Keys[] {
  const kind = deviceClass(device)
  const named = kind === 'other' ? {} : { class: kind }
  const port = layout.portOf.get(device.address)
  const serial = device.nvmeSerial ?? device.vpdSerial ?? device.sasAddress ?? device.deviceSerialNumber
  const [disk] = (device.disks ?? []).flatMap((one) => one.serial ?? [])
  const [mac] = (device.networkInterfaces ?? []).flatMap((one) => one.permanentMac ?? one.mac ?? [])
  const path = pathOf(device, layout.devices)
  const numbered = port === undefined ? {} : { port }
  const { physicalSlot: slot } = device
  return [
    ...(mac === undefined ? [] : [{ ...named, mac }]),
    ...(serial === undefined ? [] : [{ ...named, serial }]),
    ...(serial === undefined ? [] : [{ ...named, serial, ...numbered }]),
    ...(disk === undefined ? [] : [{ ...named, disk }]),
    ...(slot === undefined ? [] : [{ ...named, slot, ...numbered }]),
    ...(path === undefined ? [] : [{ ...named, path }]),
  ]
}

/** As the parser of the spec reads them; undefined where it refuses them. */
function selectorOf(keys: Keys): DeviceSelector | undefined {
  const text = `version: 1\nvms: { a: { memory: 1 GiB, devices: { a: ${flowMap(keys)} } } }\n`
  return parseSpec(text, 'one device').spec?.vms[0]?.devices[0]?.select
}
