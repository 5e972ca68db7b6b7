/**
 * A `direct` region (RMRR, IVMD) is memory the firmware keeps using through the device: the kernel refuses
 * the group. While the IOMMU is off the group's regions cannot be read, and the firmware's table predicts
 * them.
 */
import type { IommuGroup, ReservedRegion } from '../../host/host.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { isAtLeast, parseKernelVersion } from '../../pci/quirks/kernel-release.ts'
import { nothing, type Check } from '../check.ts'
import { notes } from '../reasons.ts'
import type { Reason } from '../types.ts'
import type { HostView } from '../host-view.ts'

export const checkReservedRegions: Check = (device, view) => {
  if (isBridge(device)) return nothing
  const group = view.groupOf(device)
  // Regions that were read are better evidence.
  if (group?.reservedRegions !== undefined) return refusalBy(group, group.reservedRegions, { device, view })
  if (isRelaxable(device)) return nothing
  const predicted = view.reservedMemory().get(device.address)?.[0]
  if (!predicted) return group !== undefined && looksAway(view) ? [unreadRegion(device)] : nothing
  return [
    {
      code: 'reserved-region',
      severity: 'warning',
      ...notes(
        device.address,
        `the firmware's DMAR table demands direct access to memory ${predicted.start}–${predicted.end} ` +
          'for it, ' +
          'so the kernel will refuse it once the IOMMU is on',
      ),
      help,
      about: [device.address],
    },
  ]
}

const help =
  'look in the firmware setup for shared memory, USB legacy support or management features of this ' +
  'device, and for a firmware update'

type At = { readonly device: PciDevice; readonly view: HostView }

function refusalBy(
  group: IommuGroup,
  regions: readonly ReservedRegion[],
  { device, view }: At,
): readonly Reason[] {
  const direct = regions.find(({ type }) => type === 'direct')
  if (direct !== undefined && !isOldAndRelaxed(group, view)) {
    const words = notes(
      device.address,
      `the firmware demands direct access to memory ${rangeOf(direct)} for group ${group.id}, ` +
        'and the kernel refuses such groups',
    )
    return [{ code: 'reserved-region', severity: 'error', ...words, help, about: [device.address] }]
  }
  const relaxed = regions.find(({ type }) => type === 'direct-relaxable')
  if (relaxed === undefined || isRelaxable(device)) return nothing
  if (membersOf(group, view).some(isRelaxable) && !looksAway(view)) return nothing
  return [
    {
      code: 'reserved-region',
      severity: 'warning',
      ...notes(
        device.address,
        `the firmware uses memory ${rangeOf(relaxed)} through group ${group.id}, and this kernel is ` +
          'patched ' +
          'to look away: Linux itself relaxes such regions for USB, display and ISA functions only',
      ),
      help,
      about: [device.address],
    },
  ]
}

const rangeOf = ({ start, end }: ReservedRegion) => `${start}–${end}`

function unreadRegion({ address }: PciDevice): Reason {
  return {
    code: 'reserved-region',
    severity: 'warning',
    ...notes(
      address,
      'this kernel is patched to look away from memory that the firmware uses through a device ' +
        '(relax_rmrr), ' +
        'and whether it is so here is not known',
    ),
    help: 'add the output of: grep . /sys/kernel/iommu_groups/*/reserved_regions',
    about: [address],
  }
}

function membersOf(group: IommuGroup, view: HostView): PciDevice[] {
  return group.devices.flatMap((address) => view.byAddress.get(address) ?? [])
}

/**
 * The kernel relaxes the regions of USB and display (`device_rmrr_is_relaxable`,
 * drivers/iommu/intel/iommu.c), and makes one for the ISA bridge itself (`intel_iommu_get_resv_regions`).
 */
function isRelaxable({ classCode = '' }: PciDevice): boolean {
  return classCode.startsWith('03') || classCode.startsWith('0c03') || classCode.startsWith('0601')
}

/**
 * Before 5.3 the type `direct` was all there was, and a group of nothing but such functions was taken all the
 * same.
 */
function isOldAndRelaxed(group: IommuGroup, view: HostView): boolean {
  const kernel = parseKernelVersion(view.host.kernel.release)
  if (view.host.iommu.kind !== 'intel' || kernel === undefined || isAtLeast(kernel, [5, 3])) return false
  return membersOf(group, view).every((member) => isBridge(member) || isRelaxable(member))
}

/** A patch that is not in Linux itself; its parameter on a kernel without it changes nothing. */
function looksAway({ host }: HostView): boolean {
  return (
    host.iommu.relaxesRegions === true ||
    /(?:^|\s)intel_iommu=(?:\S*,)?relax_rmrr\b/.test(host.kernel.cmdline ?? '')
  )
}
