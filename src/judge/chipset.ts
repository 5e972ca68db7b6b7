/**
 * What the board's own functions mean for giving devices away: none of them is ever given, and each either
 * stands in the way of its IOMMU group or does not. silicon.ts lists these functions.
 */
import { addressParts } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import type { HostNeed } from '../host/host.ts'
import { siliconOf } from './silicon.ts'
import { leavesDmaAlone } from '../pci/vfio-driver.ts'

export function chipsetNeeds(devices: readonly PciDevice[]): HostNeed[] {
  const needs: HostNeed[] = []
  for (const device of devices) {
    const silicon = siliconOf(device)
    if (silicon === undefined) continue
    needs.push({ kind: 'chipset', what: silicon.what, chain: [], device: device.address, weight: 'vital' })
  }
  return needs
}

/**
 * How a function of the board stands to its group. `idle`: no driver holds it, so VFIO takes the group and
 * the function stays as it is. `loose`: a driver holds it and may let go. `unsaid`: the input does not say
 * whether one does. `held`: the host keeps it, and the group with it.
 */
export type Stand = 'idle' | 'loose' | 'held' | 'unsaid'

/** Absent for what is no part of the board. */
export function standOf(device: PciDevice): Stand | undefined {
  const silicon = siliconOf(device)
  if (silicon === undefined) return undefined
  const { driver } = device
  if (driver === null || (driver !== undefined && leavesDmaAlone(driver))) return 'idle'
  if (driver !== undefined) return silicon.grip === 'loose' ? 'loose' : 'held'
  if (hasNoDriverEver(device)) return 'idle'
  if (device.classCode?.startsWith('0600')) return 'unsaid'
  return silicon.grip === undefined ? 'held' : 'loose'
}

/**
 * AMD's dummy functions and its host bridges outside slots 18 to 1f, where the data fabric is: no driver of
 * the kernel binds them (k10temp, fam15h_power and the EDAC drivers bind functions of the data fabric).
 */
function hasNoDriverEver({ vendorId, classCode = '', address }: PciDevice): boolean {
  if (vendorId !== '1022' && vendorId !== '1d94') return false
  if (classCode.startsWith('1300')) return true
  return classCode.startsWith('0600') && addressParts(address).slot < 0x18
}
