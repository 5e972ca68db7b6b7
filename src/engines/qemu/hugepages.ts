/** Chooses the size of a VM's huge pages from the pools that this machine has now. */
import { hugepageKiBOf } from '../../spec/hugepages.ts'
import type { Spec } from '../../spec/spec.ts'
import type { Reader } from '../../machine/system.ts'

export function chooseHugepageKiB(reader: Reader, spec: Spec): number | undefined {
  const folder = '/sys/kernel/mm/hugepages'
  const names = reader.list(folder)
  const pools = (names.ok ? names.value : []).flatMap((name) => {
    const sizeKiB = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1])
    const total = reader.readText(`${folder}/${name}/nr_hugepages`, 64)
    return total.ok && !Number.isNaN(sizeKiB) ? [{ sizeKiB, total: Number(total.value) }] : []
  })
  return hugepageKiBOf(pools, spec)
}
