/** Finds the functions that a VM gets in the plan in force, and checks that they are ready. */
import { defined } from '../base/defined.ts'
import type { JournalRecord } from '../apply/journal.ts'
import type { AssignedFunction } from '../engines/engine.ts'
import type { System } from '../machine/system.ts'
import type { VmSpec } from '../spec/spec.ts'
import { checkIdentity } from '../steps/check-identity.ts'

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
  const wrong: string[] = []
  for (const { vm, address, identity } of [...record.assignments, ...record.takenAlong]) {
    if (!vms.includes(vm)) continue
    wrong.push(
      ...checkIdentity(system, address, identity).differences.map(
        (difference) => `${address}: ${difference}`,
      ),
    )
    const driver = system.readLink(`/sys/bus/pci/devices/${address}/driver`)
    const name = driver.ok ? driver.value.split('/').at(-1) : undefined
    if (name !== 'vfio-pci') wrong.push(`${address}: its driver is ${name ?? 'none'}, not vfio-pci`)
  }
  return wrong
}

/** Drivers that leave a group to VFIO: its own, and those that drive nothing (drivers/vfio/vfio_main.c). */
const harmlessDrivers = new Set(['vfio-pci', 'pci-stub', 'pcieport'])

/**
 * One line for each function that has come into a group of the VM since it was applied (another kernel,
 * another slot, a new card) and that the host or another VM uses. The kernel would refuse the group as a
 * whole, and names no function.
 */
export function checkGroups(system: System, record: JournalRecord, vm: string): string[] {
  const given = [...record.assignments, ...record.takenAlong]
  const own = new Set<string>(given.filter((one) => one.vm === vm).map(({ address }) => address))
  return [...own].flatMap((address) => {
    const members = system.list(`/sys/bus/pci/devices/${address}/iommu_group/devices`)
    if (!members.ok)
      return members.reason === 'absent' ? [] : [`${address}: the members of its IOMMU group cannot be read`]
    return members.value
      .filter((member) => !own.has(member))
      .flatMap((member) => {
        const link = system.readLink(`/sys/bus/pci/devices/${member}/driver`)
        const driver = link.ok ? (link.value.split('/').at(-1) ?? '') : undefined
        const other = given.find((one) => one.address === member)
        if (other !== undefined) return [`${address}: its IOMMU group has ${member} of ${other.vm}, too`]
        if (!link.ok && link.reason !== 'absent')
          return [`${address}: its IOMMU group has ${member}, and the driver of that cannot be read`]
        if (driver === undefined || harmlessDrivers.has(driver)) return []
        return [`${address}: its IOMMU group has ${member}, too, which ${driver} drives for the host`]
      })
  })
}
