/**
 * A plan from an input that does not say what the host uses: it takes what nothing speaks against, and states
 * for each function what has to be true on the machine. Such a plan has no steps.
 */
import type { Finding } from '../../base/finding.ts'
import { listAll } from '../../base/text.ts'
import type { Reason, Unread } from '../../judge/types.ts'
import type { PciAddress } from '../../pci/address.ts'
import { deviceClass, isBridge, isWireless } from '../../pci/device.ts'
import type { View } from '../who/view.ts'

type Condition = {
  /** Completes "only if": `the host does not use it`. */
  readonly onlyIf: string
  /** Where a person sees it on the machine, as commands or as a place to look at. */
  readonly look: string
}

const conditions: Readonly<Record<Unread, Condition>> = {
  disk: {
    onlyIf: 'the host does not use it for its disks',
    look: 'lsblk -o NAME,HCTL,SERIAL,FSTYPE,MOUNTPOINTS and ls -l /sys/block',
  },
  network: {
    onlyIf: 'the host does not use it for its network',
    look: 'ip route, ip -br address and ls -l /sys/class/net',
  },
  input: {
    onlyIf: 'the host does not need a keyboard, disk or network on it',
    look: 'lsusb -t, and which sockets the keyboard and the USB disks of the host are in',
  },
  display: {
    onlyIf: 'it is not the screen of the host',
    look: 'cat /sys/bus/pci/devices/ADDRESS/boot_vga, and which card the monitor shows the firmware on',
  },
  console: {
    onlyIf: 'the host does not use it as a console',
    look: 'cat /proc/cmdline and systemctl list-units "serial-getty@*"',
  },
  class: { onlyIf: 'it is a device that you mean', look: 'lspci -nnk' },
  group: {
    onlyIf: 'nothing that the host needs is in its IOMMU group',
    look: 'find /sys/kernel/iommu_groups -type l',
  },
  driver: { onlyIf: 'no driver of the host holds its group', look: 'lspci -nnk' },
}

/** The condition that stands for an undecided reason; undefined where the reason stays an obstacle. */
export function conditionOf({ code, unread }: Pick<Reason, 'code' | 'unread'>): Condition | undefined {
  if (unread !== undefined) return conditions[unread]
  if (code !== 'iommu-off') return undefined
  return { onlyIf: 'the IOMMU is turned on', look: 'handover inspect' }
}

/** What has to be true on the machine for each of them, once each, in the order of the reasons. */
export function withConditions<T extends { readonly address: PciAddress }>(
  view: View,
  leaving: readonly T[],
): (T & { readonly onlyIf?: readonly string[] })[] {
  const along = new Set(leaving.map(({ address }) => address))
  return leaving.map((one) => {
    const reasons = view.judgements.get(one.address)?.reasons ?? []
    // A mate that leaves, too, states its own condition.
    const open = reasons.filter(
      ({ undecided, mates }) => undecided === true && mates?.every((mate) => along.has(mate)) !== true,
    )
    const onlyIf = [...new Set(open.flatMap((reason) => conditionOf(reason)?.onlyIf ?? []))]
    return onlyIf.length === 0 ? one : { ...one, onlyIf }
  })
}

/** An undecided reason as a finding of a conditional plan. */
export function conditionalFinding(finding: Finding, { onlyIf, look }: Condition): Finding {
  if (finding.code === 'iommu-off') return { ...finding, severity: 'warning' }
  const [address = 'it'] = finding.about ?? []
  return {
    ...finding,
    severity: 'warning',
    message: `${address} can be given only if ${onlyIf}; the input does not say`,
    help: `look on that machine: ${look.replace('ADDRESS', address)}; handover inspect there reads it all`,
  }
}

const lastOfKind = [
  { kinds: ['nic'], code: 'host-network', what: 'network port' },
  { kinds: ['storage', 'nvme'], code: 'host-disk', what: 'disk controller' },
  { kinds: ['gpu'], code: 'boot-display', what: 'graphics card' },
] as const

/** A host without a port or controller of its own would need another way that the input does not show. */
export function checkWhatIsLeft(view: View, leaving: ReadonlySet<PciAddress>): Finding[] {
  return lastOfKind.flatMap(({ kinds, code, what }): Finding[] => {
    const all = view.host.devices.filter(
      (device) =>
        !isBridge(device) && !isWireless(device) && kinds.some((kind) => kind === deviceClass(device)),
    )
    const gone = all.map(({ address }) => address).filter((address) => leaving.has(address))
    if (gone.length === 0 || gone.length < all.length) return []
    const isOne = gone.length === 1
    return [
      {
        code,
        severity: 'warning',
        message: isOne
          ? `${gone.join('')} is the only ${what} in this input, so the host most likely uses it`
          : `${listAll(gone)} are all ${what}s in this input, so the host most likely uses one of them`,
        help: `leave one ${what} to the host, or add a card`,
        about: gone,
      },
    ]
  })
}
