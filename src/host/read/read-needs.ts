/**
 * Reads what the host needs, each need with its chain down to the PCI function. needs/ has one reader for
 * each kind; this file joins their results and removes duplicates. judge/chipset.ts adds the parts of the
 * board, which follow from the class alone.
 */
import type { PciDevice } from '../../pci/device.ts'
import type { Host } from '../host.ts'
import { readBlockDevices } from '../needs/disks/block-devices.ts'
import { readDisks } from '../needs/disks/disks.ts'
import { joinNeeds, type NeedsRead } from '../needs/ends.ts'
import { readConsoleNeeds } from '../needs/users/console.ts'
import { readCxlMemory } from '../needs/users/cxl-memory.ts'
import { nodeFinder } from '../needs/users/device-nodes.ts'
import { readHiddenUsers } from '../needs/users/hidden-users.ts'
import { keyboardsOf } from '../needs/users/keyboards.ts'
import { readContainedNetwork } from '../needs/container.ts'
import { readNetworkNeeds } from '../needs/network/network.ts'
import { readOwnVms } from '../needs/users/own-vms.ts'
import { readProcesses } from '../needs/users/processes.ts'
import { readProgramUsers } from '../needs/users/program-users.ts'
import { readDiskNeeds, storageNeeds } from '../needs/disks/storage.ts'
import { withTunnels } from '../needs/users/tunnels.ts'
import { readVmNeeds } from '../needs/users/virtual-machines.ts'
import { readWatchdogs } from '../needs/users/watchdogs.ts'
import type { Reading } from './reading.ts'

export type AllNeeds = NeedsRead & Pick<Host, 'blockDevices'>

export function readNeeds(reading: Reading, devices: readonly PciDevice[]): AllNeeds {
  const processes = readProcesses(reading)
  const disks = readDisks(reading, devices)
  const diskNeeds = readDiskNeeds(disks, devices)
  const around = { devices, processes: processes.list, find: nodeFinder(reading), own: readOwnVms(reading) }
  const person = readConsoleNeeds(reading, devices)
  const read = joinNeeds([
    storageNeeds(disks, diskNeeds),
    readNetworkNeeds(reading, devices),
    person,
    readVmNeeds(reading, around),
    readProgramUsers(reading, around, keyboardsOf(person.needs)),
    readWatchdogs(reading, processes.list),
    readCxlMemory(reading),
    readHiddenUsers(reading, processes, devices),
    readContainedNetwork(reading, devices),
  ])
  const { needs, lost } = withTunnels(reading, devices, read)
  return {
    needs: withoutDoubles(needs, (need) => [need.kind, need.what, need.chain, need.device]),
    lost: withoutDoubles(lost, (need) => [need.kind, need.what, need.chain, need.lost]),
    ...(disks.blocks.byName.size > 0
      ? { blockDevices: readBlockDevices(disks, diskNeeds, processes.list) }
      : {}),
  }
}

function withoutDoubles<T>(all: readonly T[], keyOf: (one: T) => unknown): T[] {
  const seen = new Set<string>()
  return all.filter((one) => {
    const key = JSON.stringify(keyOf(one))
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
