/** Finds the functions that a VM gets in the plan in force, and checks that they are ready. */
import { defined } from '../base/defined.ts'
import type { JournalRecord } from '../apply/journal.ts'
import type { AssignedFunction } from '../engines/engine.ts'
import { slotOf, type PciAddress } from '../pci/address.ts'
import type { TakenAlong } from '../plan/types.ts'
import type { System } from '../machine/system.ts'
import type { VmSpec } from '../spec/spec.ts'
import { checkIdentity } from '../steps/check-identity.ts'

/** An optional device that its VM starts without, and what is wrong with it. */
export type LeftOut = { readonly role: string; readonly address: PciAddress; readonly why: string }

/** What a VM starts without now: optional devices that are not there, or not as the plan left them. */
export function leftOutOf(system: System, record: JournalRecord, vm: VmSpec): LeftOut[] {
  const optional = new Set(vm.devices.flatMap((device) => (device.optional ? [device.role] : [])))
  return record.assignments
    .filter((one) => one.vm === vm.name && optional.has(one.role))
    .flatMap(({ role, address, identity }): LeftOut[] => {
      const wrong = [
        ...checkFunction(system, { address, identity }),
        ...checkGroupOf(system, record, { vm: vm.name, address }),
      ]
      return wrong.length === 0 ? [] : [{ role, address, why: wrong.join('; ') }]
    })
}

/**
 * The record without what is left out. A function that is taken along goes with the function of its slot,
 * since it is there for that function only.
 */
export function withoutLeftOut(
  record: JournalRecord,
  vm: VmSpec,
  leftOut: readonly LeftOut[],
): JournalRecord {
  const gone = new Set<string>(leftOut.map(({ address }) => address))
  const slots = new Set(leftOut.map(({ address }) => slotOf(address)))
  return {
    ...record,
    assignments: record.assignments.filter(({ address }) => !gone.has(address)),
    takenAlong: record.takenAlong.filter((one) => one.vm !== vm.name || !slots.has(slotOf(one.address))),
  }
}

/** The functions of the VM, where those that it starts without are marked as absent. */
export function functionsNow(
  record: JournalRecord,
  vm: VmSpec,
  leftOut: readonly LeftOut[],
): AssignedFunction[] {
  const there = functionsFor(withoutLeftOut(record, vm, leftOut), vm)
  const present = new Set(there.map(({ address }) => address))
  return functionsFor(record, vm).map((fn) => (present.has(fn.address) ? fn : { ...fn, absent: true }))
}

/** The roles in the order of the spec, then the functions that are taken along. */
export function functionsFor(record: JournalRecord, vm: VmSpec): AssignedFunction[] {
  const fn = (
    role: string,
    { address, identity }: JournalRecord['takenAlong'][number] | JournalRecord['assignments'][number],
  ) => ({
    role,
    address,
    ...defined({ classCode: identity.classCode }),
  })
  const roles = vm.devices.flatMap(({ role }) =>
    record.assignments.filter((a) => a.vm === vm.name && a.role === role),
  )
  return [
    ...roles.map((a) => fn(a.role, a)),
    ...record.takenAlong.filter((t) => t.vm === vm.name).map((t) => fn('', t)),
  ]
}

/** One line for each device that is not the recorded one, or is not bound to vfio-pci. */
export function checkAssigned(system: System, record: JournalRecord, vms: readonly string[]): string[] {
  return [...record.assignments, ...record.takenAlong]
    .filter(({ vm }) => vms.includes(vm))
    .flatMap((given) => checkFunction(system, given))
}

function checkFunction(system: System, { address, identity }: Pick<TakenAlong, 'address' | 'identity'>) {
  const wrong = checkIdentity(system, address, identity).differences.map(
    (difference) => `${address}: ${difference}`,
  )
  const driver = system.readLink(`/sys/bus/pci/devices/${address}/driver`)
  const name = driver.ok ? driver.value.split('/').at(-1) : undefined
  return name === 'vfio-pci' ? wrong : [...wrong, `${address}: its driver is ${name ?? 'none'}, not vfio-pci`]
}

/** Drivers that leave a group to VFIO: its own, and those that drive nothing (drivers/vfio/vfio_main.c). */
const harmlessDrivers = new Set(['vfio-pci', 'pci-stub', 'pcieport'])

/**
 * One line for each function that has come into a group of the VM since it was applied (another kernel,
 * another slot, a new card) and that the host or another VM uses. The kernel would refuse the group as a
 * whole, and names no function.
 */
export function checkGroups(system: System, record: JournalRecord, vm: string): string[] {
  const own = [...record.assignments, ...record.takenAlong].filter((one) => one.vm === vm)
  return own.flatMap(({ address }) => checkGroupOf(system, record, { vm, address }))
}

function checkGroupOf(
  system: System,
  record: JournalRecord,
  { vm, address }: Pick<TakenAlong, 'vm' | 'address'>,
): string[] {
  const given = [...record.assignments, ...record.takenAlong]
  const members = system.list(`/sys/bus/pci/devices/${address}/iommu_group/devices`)
  if (!members.ok)
    return members.reason === 'absent' ? [] : [`${address}: the members of its IOMMU group cannot be read`]
  return members.value.flatMap((member) => {
    const owner = given.find((one) => one.address === member)?.vm
    if (owner === vm) return []
    const link = system.readLink(`/sys/bus/pci/devices/${member}/driver`)
    const driver = link.ok ? (link.value.split('/').at(-1) ?? '') : undefined
    if (owner !== undefined) return [`${address}: its IOMMU group has ${member} of ${owner}, too`]
    if (!link.ok && link.reason !== 'absent')
      return [`${address}: its IOMMU group has ${member}, and the driver of that cannot be read`]
    if (driver === undefined || harmlessDrivers.has(driver)) return []
    return [`${address}: its IOMMU group has ${member}, too, which ${driver} drives for the host`]
  })
}
