/**
 * Finds refusals of the kernel, VFIO or QEMU in a log or pasted text. A refusal counts only for the function
 * or the group that it names. The sources of the words are beside each.
 */
import { defined } from '../../base/defined.ts'
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { Refusal } from '../../host/host.ts'
import { deviceAt, type HostDraft } from './draft.ts'

type Reader = {
  /** A text that every match contains. Searching it is fast, and the pattern is tried only if it is found. */
  readonly mark: string
  readonly pattern: RegExp
  readonly kind: Refusal['kind']
}

const at = String.raw`(?<device>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])`
const pattern = (text: string) => new RegExp(text, 'i')

const readers: readonly Reader[] = [
  // drivers/iommu/intel/iommu.c up to 6.1, intel_iommu_attach_device
  {
    mark: 'RMRR requirement',
    pattern: pattern(`${at}: (?:DMAR: )?Device is ineligible for IOMMU domain attach`),
    kind: 'reserved-memory',
  },
  // drivers/iommu/iommu.c since 6.6, __iommu_device_set_domain; every IOMMU
  {
    mark: '1:1 IOMMU mapping',
    pattern: pattern(`${at}: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting`),
    kind: 'reserved-memory',
  },
  // drivers/iommu/intel-iommu.c up to 5.4, iommu_prepare_identity_map; before 5.3 the function stood at its
  // end
  {
    mark: 'etting identity map',
    pattern: pattern(`${at}: (?:DMAR: )?Setting identity map \\[`),
    kind: 'identity-map',
  },
  {
    mark: 'etting identity map',
    pattern: pattern(`Setting identity map for device ${at}`),
    kind: 'identity-map',
  },
  // drivers/vfio/pci/vfio_pci.c, vfio_pci_is_denylisted
  {
    mark: 'driver probing disallowed',
    pattern: pattern(`${at}: (?<ids>[0-9a-f]{4}:[0-9a-f]{4}) exists in vfio-pci device (?:deny|black)list`),
    kind: 'denied',
  },
  // QEMU hw/vfio: vfio_group_get
  {
    mark: 'is not viable',
    pattern: pattern(`(?:${at}: (?:error,? ?)?)?\\bgroup (?<group>\\d{1,6}) is not viable`),
    kind: 'not-viable',
  },
  // QEMU hw/vfio/pci.c, vfio_pci_hot_reset
  {
    mark: 'annot reset device',
    pattern: pattern(`Cannot reset device ${at}, no available reset mechanism`),
    kind: 'no-reset',
  },
  {
    mark: 'annot reset device',
    pattern: pattern(`Cannot reset device ${at}, depends on group (?<needs>\\d{1,6}) which is not owned`),
    kind: 'reset-needs-group',
  },
  // drivers/pci/pci.c, pci_dev_wait and pci_power_up
  {
    mark: 'giving up',
    pattern: pattern(`${at}: not ready \\d{1,7}ms after [\\w ]{1,30}; giving up`),
    kind: 'lost',
  },
  {
    mark: 'change power state',
    pattern: pattern(`${at}: Unable to change power state from \\w{1,8} to D0, device inaccessible`),
    kind: 'lost',
  },
  // QEMU hw/vfio, vfio_group_get: another VM, or another user of VFIO, has it.
  {
    mark: 'resource busy',
    pattern: pattern(`/dev/vfio/(?<group>\\d{1,6})['"]?: Device or resource busy`),
    kind: 'held',
  },
  // drivers/pci/setup-res.c, pci_request_region: mostly the framebuffer that the firmware set up
  {
    mark: "can't reserve",
    pattern: pattern(`vfio-pci ${at}: BAR \\d: can't reserve \\[mem`),
    kind: 'memory-held',
  },
  // QEMU hw/vfio/container.c: VFIO said EPERM, and the kernel's log has the reason
  {
    mark: 'peration not permitted',
    pattern: pattern(`${at}: failed to setup container for group (?<group>\\d{1,6}): `),
    kind: 'unexplained',
  },
  // drivers/base/dd.c, call_driver_probe: before 6.5 and since
  {
    mark: 'failed with error',
    pattern: pattern(`vfio-pci: probe of ${at} failed with error`),
    kind: 'unexplained',
  },
  {
    mark: 'failed with error',
    pattern: pattern(`${at}: probe with driver vfio-pci failed with error`),
    kind: 'unexplained',
  },
]

/** More than any machine prints; a log may repeat a line for days. */
const mostRefusals = 4096

/** True if the line is a refusal. */
export function readRefusal(draft: HostDraft, line: string): boolean {
  // drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_attach_group: it holds for every function of the host.
  if (line.includes('No interrupt remapping support')) {
    draft.iommu.interruptRemapping = false
    return true
  }
  for (const reader of readers) {
    if (!line.includes(reader.mark)) continue
    const groups = reader.pattern.exec(line)?.groups
    if (groups === undefined) continue
    keep(draft, reader.kind, groups)
    return true
  }
  return false
}

function keep(
  draft: HostDraft,
  kind: Refusal['kind'],
  found: Readonly<Record<string, string | undefined>>,
): void {
  const device = found['device'] === undefined ? undefined : parseAddress(found['device'])
  if (device !== undefined) nameDevice(draft, device, found['ids'])
  const group = found['group'] === undefined ? undefined : Number(found['group'])
  const needs = found['needs'] === undefined ? undefined : Number(found['needs'])
  const key = `${kind} ${device ?? ''} ${group ?? ''} ${needs ?? ''}`
  if (draft.refusals.size >= mostRefusals) return
  draft.refusals.set(key, {
    kind,
    ...defined({ device, group, needsGroup: needs }),
  })
}

/** The function exists, so it gets a draft. */
function nameDevice(draft: HostDraft, address: PciAddress, ids: string | undefined): void {
  const device = deviceAt(draft, address)
  const [vendor, id] = ids?.toLowerCase().split(':') ?? []
  if (vendor === undefined || id === undefined) return
  device.vendorId ??= vendor
  device.deviceId ??= id
}
