/**
 * A list of devices does not say what is mounted or routed over them. What a host driver holds may be the host's own
 * disk or network, so "ready" would be a guess there.
 */
import { deviceClass, type PciDevice } from '../../pci/device.ts'
import type { HostNeed } from '../../host/host.ts'
import type { Check } from '../check.ts'
import type { HostView } from '../view.ts'

export const checkKnownNeeds: Check = (device, view) => {
  const kind = needKind(device)
  if (kind === undefined || !isUnread(view, kind) || isFree(device)) return []
  return [
    {
      code: 'input-incomplete',
      severity: 'note',
      undecided: true,
      message: `the input does not say whether the host itself uses ${device.address} (${sources[kind]})`,
      help: 'run handover inspect on the machine, or handover capture there and inspect the capture',
      about: [device.address],
    },
  ]
}

const sources = { disk: 'mounts', network: 'routes', input: 'keyboards' } as const

function needKind(device: PciDevice): keyof typeof sources | undefined {
  const kind = deviceClass(device)
  if (kind === 'storage' || kind === 'nvme') return 'disk'
  if (kind === 'usb') return 'input'
  return kind === 'nic' ? 'network' : undefined
}

const listings = new Set(['umockdev', 'lspci', 'script', 'find', 'kernel-log', 'udevadm', 'nodedev', 'facter'])

function isUnread(view: HostView, kind: HostNeed['kind']): boolean {
  const { unreadNeeds, source } = view.host
  return unreadNeeds ? unreadNeeds.includes(kind) : listings.has(source.kind)
}

/** Nothing on the host can use a function without a driver, or one that VFIO holds. */
function isFree(device: PciDevice): boolean {
  return device.driver === null || device.driver?.startsWith('vfio') === true || device.driver === 'pci-stub'
}
