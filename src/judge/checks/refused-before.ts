/** What the kernel or QEMU refused before, where the input holds the refusal: it outweighs whatever a listing looks like. */
import type { Refusal } from '../../host/host.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { vfioDeniedName } from '../../pci/quirks/vfio-quirks.ts'
import { nothing, type Check } from '../check.ts'
import type { Reason } from '../types.ts'
import type { HostView } from '../view.ts'

export const checkRefusedBefore: Check = (device, view) => {
  const { refusals } = view.host
  if (refusals === undefined || isBridge(device)) return nothing
  const own = refusals.filter((refusal) => speaksOf(refusal, device, view))
  const reasons = own.flatMap((refusal) => reasonOf(refusal, device, view))
  return reasons.length === 0 ? nothing : reasons.filter((one) => !one.isVague || isUnexplained(own, view)).map(plain)
}

type Told = Reason & { readonly isVague?: true }

const plain = ({ isVague: _isVague, ...reason }: Told): Reason => reason

/** Of the function itself, or of its group as a whole: a group is taken whole or not at all. */
function speaksOf({ device, group, kind }: Refusal, { address, iommuGroup }: PciDevice, view: HostView): boolean {
  if (device === address) return true
  const own = typeof iommuGroup === 'number' ? iommuGroup : undefined
  if (group !== undefined) return group === own
  if (device === undefined || (kind !== 'reserved-memory' && kind !== 'identity-map')) return false
  const other = view.byAddress.get(device)
  return own !== undefined && other !== undefined && !isBridge(other) && other.iommuGroup === own
}

/** `Operation not permitted` needs no second reason beside the one that the kernel gave for it. */
function isUnexplained(own: readonly Refusal[], { host }: HostView): boolean {
  return host.iommu.interruptRemapping !== false && !own.some(({ kind }) => explains.has(kind))
}

const explains: ReadonlySet<Refusal['kind']> = new Set(['reserved-memory', 'identity-map', 'denied', 'not-viable'])

function reasonOf(refusal: Refusal, device: PciDevice, view: HostView): readonly Told[] {
  const { address } = device
  const about = [address]
  const named = refusal.device ?? address
  switch (refusal.kind) {
    case 'reserved-memory':
      return [memoryReason(device, `the kernel refused ${named} because the firmware uses memory through it`)]
    case 'identity-map':
      return identityMap(view.byAddress.get(named) ?? device, device)
    case 'denied':
      // The ids say it, too.
      if (vfioDeniedName(device) !== undefined) return []
      return [
        {
          code: 'driver-denied',
          severity: 'error',
          message: `vfio-pci refused ${address}: it is on its list of devices that a guest could break out of`,
          help: 'choose another device',
          about,
        },
      ]
    case 'not-viable':
      return [
        {
          code: 'group-not-viable',
          severity: 'warning',
          undecided: true,
          message: `VFIO refused group ${refusal.group ?? '?'} of ${address}: a driver of the host held one of its functions, and the input does not say which`,
          help: 'add the output of: find /sys/kernel/iommu_groups -type l; lspci -nnk',
          about,
        },
      ]
    case 'no-reset':
      return [
        {
          code: 'no-reset',
          severity: 'warning',
          message: `QEMU could not reset ${address}: what one run of a VM leaves in it, the next one finds`,
          help: 'try it before relying on it',
          about,
        },
      ]
    case 'reset-needs-group':
      return [
        {
          code: 'no-reset',
          severity: 'warning',
          message: `QEMU could not reset ${address} without group ${refusal.needsGroup ?? '?'}, which shares its bus`,
          help: 'give both groups to the same VM',
          about,
        },
      ]
    case 'lost':
      return [
        {
          code: 'reset-bug',
          severity: 'warning',
          message: `${address} did not come back after a reset or a sleep: the kernel could not reach it any more`,
          help: 'expect to restart the host after the VM stops',
          about,
        },
      ]
    case 'unexplained':
      return [
        {
          code: 'input-incomplete',
          severity: 'note',
          undecided: true,
          isVague: true,
          message: `VFIO refused ${address} before, and the input does not say why`,
          help: 'add what the kernel said: dmesg | grep -iE "vfio|dmar|amd-vi|iommu"',
          about,
        },
      ]
  }
}

function memoryReason({ address }: PciDevice, why: string): Told {
  return {
    code: 'reserved-region',
    severity: 'error',
    message: `${address}: ${why}`,
    help: 'look in the firmware setup for shared memory or management features of this device, and for a firmware update',
    about: [address],
  }
}

/** The kernel lets USB and displays off (`device_rmrr_is_relaxable`, drivers/iommu/intel/iommu.c); an ISA bridge's map is its own. */
function identityMap(named: PciDevice, device: PciDevice): readonly Told[] {
  const { classCode, address } = named
  if (classCode !== undefined && /^(?:03|0c03|0601)/.test(classCode)) return []
  const reason = memoryReason(device, `the firmware uses memory through ${address}, and VFIO refuses such functions`)
  return classCode === undefined ? [{ ...reason, undecided: true }] : [reason]
}
