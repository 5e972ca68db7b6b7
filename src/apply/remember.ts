/**
 * A device on vfio-pci does not show its MACs, its NVMe serial, its disks or the driver that the host used
 * for it. The next record copies them from the record of an earlier apply of the same device.
 */
import { defined } from '../base/defined.ts'
import type { Identity } from '../pci/identity.ts'
import type { Plan } from '../plan/types.ts'
import type { JournalRecord } from './journal.ts'

export function rememberSerials(plan: Plan, last: JournalRecord): Plan {
  const known = [...last.assignments, ...last.takenAlong].map(({ identity }) => identity)
  const complete = (identity: Identity): Identity => {
    const old = known.find((one) => isSameFunction(one, identity))
    return old === undefined ? identity : { ...old, ...identity }
  }
  return {
    ...plan,
    assignments: plan.assignments.map((now) => {
      const old = last.assignments.find((one) => isSameFunction(one.identity, now.identity))
      const isHidden = now.hostDriver === null || now.hostDriver === 'vfio-pci'
      const hostDriver = isHidden ? (old?.hostDriver ?? now.hostDriver) : now.hostDriver
      const link = now.link ?? (isHidden ? old?.link : undefined)
      return { ...now, hostDriver, ...defined({ link }), identity: complete(now.identity) }
    }),
    takenAlong: plan.takenAlong.map((now) => ({ ...now, identity: complete(now.identity) })),
  }
}

/** Compares the place, the model, and the serial number if the card has one. */
function isSameFunction(a: Identity, b: Identity): boolean {
  return (
    a.path !== undefined &&
    a.path === b.path &&
    a.vendorId === b.vendorId &&
    a.deviceId === b.deviceId &&
    a.subsystemVendorId === b.subsystemVendorId &&
    a.subsystemId === b.subsystemId &&
    a.deviceSerialNumber === b.deviceSerialNumber
  )
}
