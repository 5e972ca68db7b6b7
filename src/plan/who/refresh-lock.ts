/**
 * The lock as it should be after this plan: who is assigned now, with what was known and cannot be read any
 * more kept. A device whose place or ids the input does not state gets no entry: nothing could be compared
 * with it later.
 */
import { defined } from '../../base/defined.ts'
import { isSameKind } from '../../pci/compare-identity.ts'
import { isBridge } from '../../pci/device.ts'
import { identityOf, indexDevices, isWhole } from '../../pci/identity.ts'
import type { Lock, LockedDevice } from '../../spec/lock.ts'
import type { Spec } from '../../spec/spec.ts'
import type { Host } from '../../host/host.ts'
import type { Assignment } from '../types.ts'

export type LockChange = {
  readonly vm: string
  readonly role: string
  readonly kind: 'added' | 'moved' | 'changed' | 'removed' | 'unchanged'
  readonly from?: string
  readonly to?: string
}

export function refreshLock(host: Host, spec: Spec, assignments: readonly Assignment[]): Lock {
  const devicesByAddress = indexDevices(host.devices)
  const others = host.devices
    .filter((device) => !isBridge(device))
    .map((device) => identityOf(device, devicesByAddress))
  const names = new Map(host.devices.map((device) => [device.address, device.name]))
  const devices = assignments.flatMap(({ vm, role, address, identity }): LockedDevice[] => {
    const wanted = spec.vms.find((one) => one.name === vm)?.devices.find((one) => one.role === role)?.select
    const name = names.get(address)
    const twins = others
      .filter((other) => other.path !== identity.path && isSameKind(other, identity))
      .flatMap(({ path }) => path ?? [])
    if (wanted === undefined || !isWhole(identity)) return []
    const more = { ...defined({ name }), ...(twins.length > 0 ? { twins } : {}) }
    return [{ vm, role, wanted, address, identity, ...more }]
  })
  return { version: 1, devices }
}

/** What differs between two locks, in the order of the new one; what went comes last. */
export function compareLocks(old: Lock | undefined, now: Lock): LockChange[] {
  const key = ({ vm, role }: LockedDevice) => `${vm}/${role}`
  const before = new Map((old?.devices ?? []).map((device) => [key(device), device]))
  const changes = now.devices.map((device): LockChange => {
    const { vm, role, identity } = device
    const was = before.get(key(device))
    before.delete(key(device))
    if (was === undefined) return { vm, role, kind: 'added', to: identity.path }
    if (isSame(was, device)) return { vm, role, kind: 'unchanged' }
    const isMove = was.identity.path !== identity.path
    return isMove
      ? { vm, role, kind: 'moved', from: was.identity.path, to: identity.path }
      : { vm, role, kind: 'changed' }
  })
  const gone = [...before.values()].map(({ vm, role, identity }): LockChange => ({
    vm,
    role,
    kind: 'removed',
    from: identity.path,
  }))
  return [...changes, ...gone]
}

function isSame(a: LockedDevice, b: LockedDevice): boolean {
  const keys = new Set([
    ...Object.keys(a.identity),
    ...Object.keys(b.identity),
  ] as (keyof LockedDevice['identity'])[])
  return [...keys].every((key) => JSON.stringify(a.identity[key]) === JSON.stringify(b.identity[key]))
}
