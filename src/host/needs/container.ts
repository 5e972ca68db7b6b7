/**
 * Finds out whether Handover itself runs in a container. It then sees the container's mounts, routes and
 * interfaces; those of the host are visible only through process 1, or not at all.
 */
import { deviceClass, type PciDevice } from '../../pci/device.ts'
import type { LostNeed } from '../host.ts'
import { linkOf, type Reading } from '../read/reading.ts'
import type { NeedsRead } from './ends.ts'

export type Contained = {
  /**
   * `own`: Handover sees those of the host. `other`: it sees others, but process 1 has those of the host.
   * `hidden`: those of the host cannot be seen.
   */
  readonly mounts: 'own' | 'other' | 'hidden'
  readonly network: 'own' | 'other' | 'hidden'
}

/** The number of the first process namespace is fixed (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const firstProcesses = 'pid:[4026531836]'

export function readContained(reading: Reading): Contained {
  const own = linkOf(reading, '/proc/self/ns/pid')
  // In a process namespace of its own, process 1 belongs to the container.
  if (own !== undefined && own !== firstProcesses) return { mounts: 'hidden', network: 'hidden' }
  return { mounts: compare(reading, 'mnt'), network: compare(reading, 'net') }
}

function compare(reading: Reading, kind: 'mnt' | 'net'): 'own' | 'other' {
  const own = linkOf(reading, `/proc/self/ns/${kind}`)
  const first = linkOf(reading, `/proc/1/ns/${kind}`)
  return own !== undefined && first !== undefined && own !== first ? 'other' : 'own'
}

/**
 * The kernel shows interfaces only to their own namespace, so the port that the host uses cannot be seen from
 * another one.
 */
export function readContainedNetwork(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  if (readContained(reading).network === 'own') return { needs: [], lost: [] }
  const lost: LostNeed = {
    kind: 'network',
    what: 'the network of the host',
    chain: [],
    lost: 'network namespace of the host',
    why: 'handover runs in a container, from which the interfaces of the host cannot be seen',
    couldBe: devices.filter(couldBePort).map(({ address }) => address),
  }
  return { needs: [], lost: [lost] }
}

function couldBePort(device: PciDevice): boolean {
  if (device.driver === null || device.driver?.startsWith('vfio') === true) return false
  return deviceClass(device) === 'nic' || (device.networkInterfaces?.length ?? 0) > 0
}
