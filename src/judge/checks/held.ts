/**
 * Storage controllers that the early binding keeps from every driver, because the controller of a VM was not
 * in its place at this boot (plan/changes/pool-guard.ts).
 */
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'

/** No driver has this name; assets/boot/bind.sh writes it. */
export const heldOverride = 'handover-held'

export function checkHeld({ devices }: Pick<Host, 'devices'>): Finding[] {
  return devices
    .filter(({ driverOverride }) => driverOverride === heldOverride)
    .map(({ address }): Finding => ({
      code: 'held-at-boot',
      severity: 'warning',
      message:
        `${address} has no driver since this boot: the storage controller of a VM was not in its place, ` +
        'and this one may be that or may have its disks',
      help:
        'look which controller it is; for the VM: handover lock SPEC, then handover apply SPEC; ' +
        `for the host: echo | sudo tee /sys/bus/pci/devices/${address}/driver_override; ` +
        `echo ${address} | sudo tee /sys/bus/pci/drivers_probe`,
      about: [address],
    }))
}
