/**
 * What the host itself needs, each with its chain down to the PCI function: the facts every refusal rests on.
 * One reader per kind in needs/; this file only puts them together and drops doubles. What is part of the board follows
 * from the class alone and is added by judge/chipset.ts.
 */
import type { PciDevice } from '../pci/device.ts'
import type { HostNeed } from './host.ts'
import { readConsoleNeeds } from './needs/console.ts'
import { readNetworkNeeds } from './needs/network.ts'
import { readStorageNeeds } from './needs/storage.ts'
import { readVmNeeds } from './needs/virtual-machines.ts'
import type { Reading } from './reading.ts'

export function readNeeds(reading: Reading, devices: readonly PciDevice[]): HostNeed[] {
  const needs = [
    ...readStorageNeeds(reading),
    ...readNetworkNeeds(reading, devices),
    ...readConsoleNeeds(reading, devices),
    ...readVmNeeds(reading, devices),
  ]
  const seen = new Set<string>()
  return needs.filter((need) => {
    const key = JSON.stringify([need.kind, need.what, need.chain, need.device])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
