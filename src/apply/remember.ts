/**
 * A device on vfio-pci no longer shows its MACs, its NVMe serial, the disks behind it or the driver the host
 * used for it. What an earlier apply recorded about the same device is carried into the next record, so it is
 * never forgotten.
 */
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
      return { ...now, hostDriver, identity: complete(now.identity) }
    }),
    takenAlong: plan.takenAlong.map((now) => ({ ...now, identity: complete(now.identity) })),
  }
}

/** The same place and model, and the same serial number where the card has one. */
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
