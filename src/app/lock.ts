/**
 * lock: writes home.lock beside the spec. Roles whose locked device is certain keep it; roles whose lock is
 * in doubt (replaced, ambiguous, missing) are decided again from the spec: running this is how a person
 * settles them.
 */
import type { Finding } from '../base/finding.ts'
import type { System } from '../machine/system.ts'
import { writeUserFile } from '../machine/user-file.ts'
import type { PciAddress } from '../pci/address.ts'
import { isWhole } from '../pci/identity.ts'
import { plan } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { compareLocks, refreshLock, type LockChange } from '../plan/who/refresh-lock.ts'
import { formatLock } from '../spec/lock.ts'
import { readPlanningHost } from './planning-host.ts'
import { readSpec, type ReadSpec } from './read-spec.ts'

export type LockRequest = { readonly spec: string; readonly from?: string }

export type LockResult =
  | { readonly outcome: 'written'; readonly file: string; readonly changes: readonly LockChange[] }
  /** Roles (`vm/role`) that no device was found for, and why. */
  | {
      readonly outcome: 'no-device'
      readonly roles: readonly string[]
      readonly findings: readonly Finding[]
      readonly source: ReadSpec
    }
  /**
   * Devices whose place or ids the input does not state: nothing could be compared with their entries later.
   */
  | { readonly outcome: 'not-stated'; readonly addresses: readonly PciAddress[] }

export async function lockSpec(system: System, request: LockRequest): Promise<LockResult> {
  const source = readSpec(request.spec, { brokenLock: 'ignore' })
  const { spec, lock, lockFile } = source
  const host = await readPlanningHost(system, request.from, source)
  const planned = planTwice((kept) => plan(host, spec, { places: source.places, ...kept }), lock)
  // Only what hinders the choice of devices hinders the lock: neither memory nor an IOMMU changes who is who.
  const roles = spec.vms
    .flatMap((vm) => vm.devices.map((role) => `${vm.name}/${role.role}`))
    .filter((key) => !planned.assignments.some((a) => `${a.vm}/${a.role}` === key))
  if (roles.length > 0) return { outcome: 'no-device', roles, findings: errorsOf(planned), source }
  const unnamed = planned.assignments
    .filter(({ identity }) => !isWhole(identity))
    .map(({ address }) => address)
  if (unnamed.length > 0) return { outcome: 'not-stated', addresses: unnamed }
  const now = refreshLock(host, spec, planned.assignments)
  writeUserFile(lockFile, formatLock(now))
  return { outcome: 'written', file: lockFile, changes: compareLocks(lock, now) }
}

/** With the lock, and where some of it is in doubt a second time without that part. */
function planTwice(planWith: (kept: Pick<ReadSpec, 'lock'>) => Plan, lock: ReadSpec['lock']): Plan {
  if (lock === undefined) return planWith({})
  const first = planWith({ lock })
  const inDoubt = new Set(first.doubtful ?? [])
  if (inDoubt.size === 0) return first
  const devices = lock.devices.filter(({ vm, role }) => !inDoubt.has(`${vm}/${role}`))
  return planWith({ lock: { ...lock, devices } })
}

function errorsOf({ findings }: Plan): Finding[] {
  return findings.filter(({ severity }) => severity === 'error')
}
