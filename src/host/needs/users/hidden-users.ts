/**
 * Handles programs whose open files cannot be read (those of other users, without root). Any function with
 * nodes that programs can open may then be in use.
 */
import type { PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import { isVfioDriver } from '../../../pci/vfio-driver.ts'
import type { LostNeed } from '../../host.ts'
import type { Reading } from '../../read/reading.ts'
import { functionsWithNodes } from './device-nodes.ts'
import type { NeedsRead } from '../ends.ts'
import type { Processes } from './processes.ts'

export function readHiddenUsers(
  reading: Reading,
  { hidden }: Processes,
  devices: readonly PciDevice[],
): NeedsRead {
  if (hidden === undefined) return { needs: [], lost: [] }
  const { path, why } = hidden
  const withNodes = functionsWithNodes(reading)
  const lostOf = (kind: LostNeed['kind'], what: string, isMeant: (one: PciDevice) => boolean): LostNeed[] => {
    const couldBe = devices.filter((one) => isMeant(one)).map(({ address }): PciAddress => address)
    return couldBe.length === 0 ? [] : [{ kind, what, chain: [], lost: path, why, couldBe }]
  }
  const lost = [
    ...lostOf('vm', 'a running VM', ({ driver }) => isVfioDriver(driver)),
    ...lostOf(
      'use',
      'a device node that a program has open',
      (one) => withNodes.has(one.address) || isApart(one),
    ),
  ]
  return { needs: [], lost }
}

/** The nodes of NVIDIA's driver are not in sysfs. */
function isApart({ driver }: PciDevice): boolean {
  return driver === 'nvidia'
}
