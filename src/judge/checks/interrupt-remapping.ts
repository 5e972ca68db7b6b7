/** Without interrupt remapping VFIO refuses the group (EPERM), because a guest could inject interrupts into the host. */
import type { Check } from '../check.ts'

export const checkInterruptRemapping: Check = (device, view) => {
  const { iommu } = view.host
  if (iommu.state !== 'on' || iommu.interruptRemapping !== false) return []
  return [
    {
      code: 'no-interrupt-remapping',
      severity: 'warning',
      message: `interrupt remapping is not active, so VFIO will refuse ${device.address} unless unsafe interrupts are allowed`,
      help: 'enable interrupt remapping (x2APIC, VT-d) in the firmware setup and remove intremap=off from the kernel command line',
      about: [device.address],
    },
  ]
}
