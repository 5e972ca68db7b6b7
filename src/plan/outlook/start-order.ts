/** The order in which VMs start: what a VM needs comes first, else the order of the spec. */
import type { VmSpec } from '../../spec/spec.ts'

/**
 * The parser refuses `needs` that go round; a Spec made otherwise still ends here, with the rest in file
 * order.
 */
export function startOrder(vms: readonly VmSpec[]): string[] {
  const byName = new Map(vms.map((vm) => [vm.name, vm]))
  const order = new Set<string>()
  const onTheWay = new Set<string>()
  const visit = (vm: VmSpec): void => {
    if (order.has(vm.name) || onTheWay.has(vm.name)) return
    onTheWay.add(vm.name)
    for (const name of vm.needs) {
      const needed = byName.get(name)
      if (needed) visit(needed)
    }
    order.add(vm.name)
  }
  vms.forEach(visit)
  return [...order]
}
