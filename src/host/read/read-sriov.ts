/** Reads physical and virtual functions (SR-IOV), and the settings of virtual functions. */
import { defined } from '../../base/defined.ts'
import { parseAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { parseVirtualFunctions, type VirtualFunctionSettings } from '../../pci/virtual-functions.ts'
import { linkName, numberOf, textOf, type Reading } from './reading.ts'

/**
 * The files exist for a physical function. They are read if configuration space shows the capability or is
 * too short to show it. A virtual function has a `physfn` link, and its image begins with ff in place of ids
 * (PCIe 9.3.4.1.1).
 */
export function sriovOf(
  reading: Reading,
  folder: string,
  device: PciDevice,
  config: Uint8Array | undefined,
): Partial<PciDevice> | undefined {
  const { facts, headerType } = device
  if (headerType === 1 || facts?.notAnswering || facts?.portType === null) return undefined
  const showsIds = config !== undefined && config.length >= 64 && (config[0] !== 0xff || config[1] !== 0xff)
  const physFn = showsIds ? undefined : parseAddress(linkName(reading, `${folder}/physfn`) ?? '')
  if (physFn) return { physFn }
  if (facts?.sriov === null) return undefined
  const totalVfs = numberOf(textOf(reading, `${folder}/sriov_totalvfs`))
  if (totalVfs === undefined) return undefined
  const numVfs = numberOf(textOf(reading, `${folder}/sriov_numvfs`)) ?? 0
  return { sriov: { totalVfs, numVfs } }
}

/**
 * Facts for planning only: whether new virtual functions get a driver, and the settings of the existing ones.
 */
export function withFunctionSettings(
  reading: Reading,
  folder: string,
  device: PciDevice,
): Partial<PciDevice> {
  const { sriov } = device
  if (sriov === undefined) return {}
  const autoprobe = textOf(reading, `${folder}/sriov_drivers_autoprobe`)
  const functions = sriov.numVfs === 0 ? undefined : readFunctions(reading.system, device)
  return {
    sriov: {
      ...sriov,
      ...(autoprobe === undefined ? {} : { driversAutoprobe: autoprobe === '1' }),
      ...defined({ functions }),
    },
  }
}

/**
 * Settings in the order of the functions' numbers. `undefined` if the driver reports none or nothing can be
 * asked.
 */
function readFunctions(
  { showLink }: Reading['system'],
  device: PciDevice,
): VirtualFunctionSettings[] | undefined {
  const [port] = device.networkInterfaces ?? []
  const text = port === undefined ? undefined : showLink?.(port.name)
  const found = text?.ok ? parseVirtualFunctions(text.value) : undefined
  if (found === undefined || found.size === 0) return undefined
  return [...found].toSorted(([a], [b]) => a - b).map(([, settings]) => settings)
}
