/**
 * Recognises Xen in pasted text. Its control domain (dom0) is the host itself, but the hypervisor owns the
 * IOMMU, so the kernel makes no groups. Any other domain is a virtual machine.
 */
import type { Host } from '../../host/host.ts'
import type { HostDraft } from './draft.ts'

/** True if the line shows that this is Xen. */
export function readXenLine(draft: HostDraft, line: string): boolean {
  if (!/xen|\bxl\b|pciback|^control_d$/i.test(line)) return false
  const isXen = /\bHypervisor detected: Xen\b|\bXen version: \d|^\(XEN\) /.test(line)
  // Signs of dom0: its driver pciback, the toolstack, which works in dom0 only, and the argument for the size
  // of dom0.
  const isControl =
    /\b(?:xen-)?pciback (?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]: |\bxen-pciback\.hide=|^\(XEN\) |\bdom0_mem=/i.test(
      line,
    ) || /(?:^|[$#>] ?)(?:sudo )?xl (?:info|list|dmesg|pci-assignable-\w+)\b/.test(line)
  if (!isXen && !isControl) return false
  const isFull = /\bHypervisor detected: Xen HVM\b/.test(line)
  draft.xen = {
    isControl: isControl || draft.xen?.isControl === true,
    isFull: isFull || draft.xen?.isFull === true,
  }
  return isXen
}

/** Draws the conclusions for the host. A dom0 driver in a listing proves the same as these lines. */
export function concludeXen(draft: HostDraft): Pick<Host, 'hypervisor'> {
  const holdsBack = [...draft.devices.values()].some(
    ({ driver }) => driver === 'pciback' || driver === 'xen-pciback',
  )
  if (draft.xen === undefined && !holdsBack) return {}
  if (draft.xen?.isFull === true && !draft.xen.isControl && !holdsBack) draft.cpu.isGuest = true
  else if (draft.iommu.state === 'unknown') draft.iommu.state = 'absent'
  return { hypervisor: 'xen' }
}
