/**
 * What the kernel or QEMU refused before, where the input holds the refusal: it outweighs whatever a listing
 * looks like.
 */
import type { Refusal } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import { isBridge, type PciDevice } from '../../pci/device.ts'
import { vfioDeniedName } from '../../pci/quirks/vfio-quirks.ts'
import { nothing, type Check } from '../check.ts'
import { notes } from '../reasons.ts'
import type { Reason } from '../types.ts'
import type { HostView } from '../host-view.ts'

export const checkRefusedBefore: Check = (device, view) => {
  const { refusals } = view.host
  if (refusals === undefined || isBridge(device)) return nothing
  const own = refusals.filter((refusal) => speaksOf(refusal, device, view))
  if (own.length === 0) return nothing
  const told = own.flatMap((refusal) => reasonOf(refusal, device, view))
  return told.filter((one) => !one.isVague || isUnexplained(own, view)).map(plain)
}

type Told = Reason & { readonly isVague?: true }

const plain = ({ isVague: _isVague, ...reason }: Told): Reason => reason

/** Of the function itself, or of its group as a whole: a group is taken whole or not at all. */
function speaksOf(
  { device, group, kind }: Refusal,
  { address, iommuGroup }: PciDevice,
  view: HostView,
): boolean {
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

const explains: ReadonlySet<Refusal['kind']> = new Set([
  'reserved-memory',
  'identity-map',
  'denied',
  'not-viable',
  'held',
])

function reasonOf(refusal: Refusal, device: PciDevice, view: HostView): readonly Told[] {
  const { address } = device
  const { kind } = refusal
  const named = refusal.device ?? address
  if (kind === 'reserved-memory')
    return [memoryReason(device, `the kernel refused ${named} because the firmware uses memory through it`)]
  if (kind === 'identity-map') return identityMap(view.byAddress.get(named) ?? device, device)
  // The ids say it, too.
  if (kind === 'denied' && vfioDeniedName(device) !== undefined) return []
  const { message: brief } = reasons[kind](undefined, refusal)
  return [{ ...reasons[kind](address, refusal), brief, about: [address] }]
}

type Plain = Exclude<Refusal['kind'], 'reserved-memory' | 'identity-map'>

/** Without an address, for a line that names the function already. */
const reasons: Readonly<
  Record<Plain, (address: PciAddress | undefined, refusal: Refusal) => Omit<Told, 'about'>>
> = {
  denied: (address) => ({
    code: 'driver-denied',
    severity: 'error',
    message: `vfio-pci refused ${address ?? it}: it is on its list of devices a guest could break out of`,
    help: 'choose another device',
  }),
  'not-viable': (address, { group }) => ({
    code: 'group-not-viable',
    severity: 'warning',
    undecided: true,
    message:
      `VFIO refused ${groupWords(group, address)}: a driver of the host held one of its functions, and the ` +
      'input does not say which',
    help: 'add the output of: find /sys/kernel/iommu_groups -type l; lspci -nnk',
  }),
  'no-reset': (address) => ({
    code: 'no-reset',
    severity: 'warning',
    message: `QEMU could not reset ${address ?? it}: what one run of a VM leaves in it, the next one finds`,
    help: 'try it before relying on it',
  }),
  'reset-needs-group': (address, { needsGroup }) => ({
    code: 'no-reset',
    severity: 'warning',
    message: `QEMU could not reset ${address ?? it} without ${groupWords(needsGroup)}, which shares its bus`,
    help: 'give both groups to the same VM',
  }),
  lost: (address) => ({
    code: 'reset-bug',
    severity: 'warning',
    message:
      `${address ?? it} did not come back after a reset or a sleep: the kernel could not reach ` +
      'it any more',
    help: 'expect to restart the host after the VM stops',
  }),
  held: (address, { group }) => ({
    code: 'vm-running',
    severity: 'warning',
    undecided: true,
    message:
      `${groupWords(group, address)} was held by another user of VFIO, and the input does not ` +
      'say which VM',
    help: 'stop the VM that has it, and look again',
  }),
  'memory-held': (address) => ({
    code: 'host-use',
    severity: 'warning',
    message:
      `the host held memory of ${address ?? it} when VFIO opened it, as it does where the firmware set up ` +
      'a screen there',
    help: 'make another card the boot display in the firmware setup',
  }),
  unexplained: (address) => ({
    code: 'input-incomplete',
    severity: 'note',
    undecided: true,
    isVague: true,
    message: `VFIO refused ${address ?? it} before, and the input does not say why`,
    help: 'add what the kernel said: dmesg | grep -iE "vfio|dmar|amd-vi|iommu"',
  }),
}

const it = 'it'

function groupWords(group: number | undefined, member?: PciAddress): string {
  const of = member === undefined ? '' : ` of ${member}`
  return `${group === undefined ? 'the group' : `group ${group}`}${of}`
}

function memoryReason({ address }: PciDevice, why: string): Told {
  return {
    code: 'reserved-region',
    severity: 'error',
    ...notes(address, why),
    help:
      'look in the firmware setup for shared memory or management features of this device, and for a ' +
      'firmware update',
    about: [address],
  }
}

/**
 * The kernel lets USB and displays off (`device_rmrr_is_relaxable`, drivers/iommu/intel/iommu.c); an ISA
 * bridge's map is its own.
 */
function identityMap(named: PciDevice, device: PciDevice): readonly Told[] {
  const { classCode, address } = named
  if (classCode !== undefined && /^(?:03|0c03|0601)/.test(classCode)) return []
  const reason = memoryReason(
    device,
    `the firmware uses memory through ${address}, and VFIO refuses such functions`,
  )
  return classCode === undefined ? [{ ...reason, undecided: true }] : [reason]
}
