/**
 * Without interrupt remapping VFIO refuses the group (EPERM), because a guest could inject interrupts into
 * the host.
 */
import { remappingEnders } from '../../boot/remapping-args.ts'
import { changeRemedy } from '../../boot/loaders/loaders.ts'
import { nothing, type Check } from '../check.ts'
import { mentions } from '../reasons.ts'

export const checkInterruptRemapping: Check = (device, view) => {
  const { iommu } = view.host
  if (iommu.state !== 'on' || iommu.interruptRemapping !== false) return nothing
  const enders = remappingEnders(view.host.kernel.cmdline)
  return [
    {
      code: 'no-interrupt-remapping',
      severity: 'warning',
      ...mentions(
        device.address,
        (it) =>
          `interrupt remapping is not active, so VFIO will refuse ${it} unless unsafe interrupts are allowed`,
      ),
      help:
        enders.length > 0
          ? changeRemedy(view.host, { add: [], remove: [...new Set(enders)] })
          : 'look for interrupt remapping and x2APIC in the firmware setup, and for a firmware update',
      about: [device.address],
    },
  ]
}
