/** Does an IOMMU translate for this function: it has a group. Why the IOMMU is off is said once, about the host. */
import { nothing, type Check } from '../check.ts'
import { checkIommuState } from '../host-checks.ts'

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
        message: `${device.address} has no IOMMU group: ${host.message}`,
        ...(host.help === undefined ? {} : { help: host.help }),
        about,
      },
    ]
  }
  if (view.host.iommu.state === 'on' && device.iommuGroup !== undefined) {
    return [
      {
        code: 'no-group',
        severity: 'error',
        message: `${device.address} is in no IOMMU group although the IOMMU is on: no remapping unit covers it`,
        help: 'look for a firmware update, or put the card into another slot',
        about,
      },
    ]
  }
  return [
    {
      code: 'input-incomplete',
      severity: 'note',
      undecided: true,
      message: `the input does not say which IOMMU group ${device.address} is in`,
      help: 'add the output of: find /sys/kernel/iommu_groups -type l',
      about,
    },
  ]
}
