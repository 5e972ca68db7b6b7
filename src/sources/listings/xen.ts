/**
 * Xen in a paste. Its control domain (dom0) is the host itself, though the hypervisor owns the IOMMU and the
 * kernel makes no groups there; any other domain is a virtual machine.
 */
import type { Host } from '../../host/host.ts'
import type { HostDraft } from './draft.ts'

/** True when the line says that this is Xen, or which domain of it. */
export function readXenLine(draft: HostDraft, line: string): boolean {
  if (!/xen|\bxl\b|pciback|^control_d$/i.test(line)) return false
  const isXen = /\bHypervisor detected: Xen\b|\bXen version: \d|^\(XEN\) /.test(line)
  // pciback is dom0's driver, the toolstack talks to Xen from dom0 only, and nobody but a host says how large
  // its dom0 is.
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

/** What follows for the host; a driver of dom0 in a listing says the same as its words. */
export function concludeXen(draft: HostDraft): Pick<Host, 'hypervisor'> {
  const holdsBack = [...draft.devices.values()].some(
    ({ driver }) => driver === 'pciback' || driver === 'xen-pciback',
  )
  if (draft.xen === undefined && !holdsBack) return {}
  if (draft.xen?.isFull === true && !draft.xen.isControl && !holdsBack) draft.cpu.isGuest = true
  else if (draft.iommu.state === 'unknown') draft.iommu.state = 'absent'
  return { hypervisor: 'xen' }
}
