/** What programs report that somebody runs by hand: lspci, a write into sysfs. */
import { lost } from './kernel-pci.ts'
import type { Signature } from './signature.ts'

export const shellSignatures: readonly Signature[] = [
  {
    id: 'configuration-gone',
    severity: 'error',
    pattern: /Unknown header type 7f/,
    cause: 'All registers of the device read as ones: it sleeps without power, or is gone after a reset.',
    ...lost,
    source: 'pciutils lspci.c show_verbose',
    certainty: 'source',
  },
  {
    id: 'write-refused-busy',
    severity: 'error',
    pattern: /write error: Device or resource busy/,
    cause:
      'The kernel refused a write into sysfs: mostly a driver was to be bound to a device whose IOMMU ' +
      'group a VM has.',
    proof: 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep /dev/vfio; handover status',
    remedy: ['stop the VM first: handover down VM', 'use handover rollback to give devices back to the host'],
    source: 'Linux drivers/iommu/iommu.c iommu_device_use_default_domain',
    certainty: 'seen',
  },
]
