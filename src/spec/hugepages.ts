import type { Spec } from './spec.ts'

/** Pages of one size that a machine has set aside. */
export type HugepagePool = { readonly sizeKiB: number; readonly total: number }

/** The page size for all guests with huge pages: QEMU takes a guest's memory from pages of one size. */
export function hugepageKiBOf(pools: readonly HugepagePool[], spec: Spec): number | undefined {
  if (spec.host.hugepageKiB !== undefined) return spec.host.hugepageKiB
  const wanted = spec.vms.reduce((sum, vm) => sum + (vm.hugepages ? vm.memoryMiB : 0), 0)
  const bySize = pools.toSorted((a, b) => a.sizeKiB - b.sizeKiB)
  return bySize.find(({ sizeKiB, total }) => (sizeKiB * total) / 1024 >= wanted)?.sizeKiB
}

/** The number of pages of this size that all guests with huge pages need together. */
export function hugepageCount(spec: Spec, sizeKiB: number): number {
  let pages = 0
  for (const vm of spec.vms) if (vm.hugepages) pages += Math.ceil((vm.memoryMiB * 1024) / sizeKiB)
  return pages
}
