/**
 * A function for which an IOMMU translates has a group. A finding about the host explains why the IOMMU is
 * off.
 */
import { defined } from '../../base/defined.ts'
import { isOnRootBus, type PciDevice } from '../../pci/device.ts'
import { nothing, type Check } from '../check.ts'
import { checkIommuState } from '../host-checks.ts'
import { mentions, says } from '../reasons.ts'
import type { Reason } from '../types.ts'

export const checkIommu: Check = (device, view) => {
  if (view.groupOf(device)) return nothing
  const about = [device.address]
  const [host] = checkIommuState(view)
  if (host) {
    const never = host.code === 'iommu-absent'
    return [
      {
        code: host.code,
        severity: never ? 'error' : 'note',
        undecided: true,
        ...says(device.address, `has no IOMMU group: ${host.message}`),
        ...defined({ help: host.help }),
        about,
      },
    ]
  }
  if (view.host.iommu.state === 'on' && device.iommuGroup !== undefined) {
    const [why, help] = isBuiltIn(device) ? leftOut : notCovered
    return [
      {
        code: 'no-group',
        severity: 'error',
        ...says(device.address, `is in no IOMMU group although the IOMMU is on: ${why}`),
        help,
        about,
      },
    ]
  }
  return [groupUnsaid(device)]
}

function groupUnsaid({ address }: PciDevice): Reason {
  return {
    code: 'input-incomplete',
    severity: 'note',
    undecided: true,
    unread: 'group',
    ...mentions(address, (it) => `the input does not say which IOMMU group ${it} is in`),
    help: 'add the output of: find /sys/kernel/iommu_groups -type l',
    about: [address],
  }
}

const notCovered = [
  'no remapping unit covers it',
  'look for a firmware update, or put the card into another slot',
] as const

/**
 * A part of the processor is in no other slot; `igfx_off` and `quirk_iommu_igfx` leave it out
 * (drivers/iommu/intel).
 */
const leftOut = [
  'the kernel leaves it out',
  'look on the kernel command line for what does so (such as intel_iommu=on,igfx_off), and in the ' +
    'firmware setup',
] as const

/**
 * What sits on a root bus is soldered there or in the processor, and so is what AMD puts behind internal
 * ports.
 */
function isBuiltIn(device: PciDevice): boolean {
  return isOnRootBus(device) || device.portType === 'rootComplexEndpoint' || device.vendorId === '1022'
}
