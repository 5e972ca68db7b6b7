/**
 * Memory: a guest with a passed-through device has all of it pinned, from its start, whether it uses it or
 * not.
 */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import { formatSize } from '../../base/size.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec, VmSpec } from '../../spec/spec.ts'
import { hugepageCount, hugepageKiBOf } from '../../spec/hugepages.ts'
import type { Plan } from '../types.ts'

export function planMemory(
  host: Host,
  spec: Spec,
  places?: SpecPlaces,
): { memory: Plan['memory']; findings: Finding[] } {
  const pinning = spec.vms.filter((vm) => vm.devices.length > 0)
  const pinnedMiB = sum(pinning.map((vm) => vm.memoryMiB))
  const memory = { pinnedMiB, hostTotalMiB: host.memory.totalMiB ?? null }
  return { memory, findings: [...checkSum(host, spec, places), ...checkHugepages(host, spec, places)] }
}

/**
 * Huge pages are set aside from the same memory, used or not; what is left must hold the other guests and the
 * host.
 */
function checkSum(host: Host, spec: Spec, places?: SpecPlaces): Finding[] {
  const total = host.memory.totalMiB
  if (total === undefined) return []
  const aside = asideMiB(host, spec)
  const ordinary = spec.vms.filter((vm) => !vm.hugepages)
  const pinned = sum(ordinary.filter((vm) => vm.devices.length > 0).map((vm) => vm.memoryMiB))
  const all = sum(ordinary.map((vm) => vm.memoryMiB))
  const left = total - aside - spec.host.reserveMiB
  if (left < 0 && spec.host.hugepageKiB !== undefined)
    return [hugepagesTooMany(spec, { aside, total, places })]
  if (all <= left) return []
  const isPinned = pinned > left
  const counted = isPinned ? ordinary.filter((vm) => vm.devices.length > 0) : ordinary
  const at = placeOf(places, ['vms', counted.at(-1)?.name ?? '', 'memory'])
  const huge = aside > 0 ? `, ${formatSize(aside)} set aside as huge pages` : ''
  return [
    {
      code: 'memory-overcommit',
      severity: isPinned ? 'error' : 'warning',
      message:
        `the guests ${isPinned ? 'would pin' : 'may use'} ${formatSize(isPinned ? pinned : all)} ` +
        `(${sayVms(counted)}); ` +
        `the host has ${formatSize(total)}${huge} and keeps ${formatSize(spec.host.reserveMiB)}`,
      help: 'give the guests less memory, or the host less with `host: { reserve: … }`',
      ...defined({ at }),
    },
  ]
}

/** What is set aside, or will be: pages that are there already are not counted again. */
function asideMiB(host: Host, spec: Spec): number {
  const { hugepageKiB } = spec.host
  const pools = host.memory.hugepages ?? []
  const sizes = pools.map(({ sizeKiB, total }) => {
    const count = sizeKiB === hugepageKiB ? Math.max(total, hugepageCount(spec, sizeKiB)) : total
    return (sizeKiB * count) / 1024
  })
  return sum(sizes)
}

function hugepagesTooMany(
  spec: Spec,
  given: { readonly aside: number; readonly total: number; readonly places: SpecPlaces | undefined },
): Finding {
  const at = placeOf(given.places, ['host', 'hugepages'], 'key')
  return {
    code: 'memory-overcommit',
    severity: 'error',
    message:
      `huge pages would take ${formatSize(given.aside)} of ${formatSize(given.total)} ` +
      `(${sayVms(spec.vms.filter((vm) => vm.hugepages))}); the host keeps ` +
      formatSize(spec.host.reserveMiB),
    help: 'give the guests less memory, or the host less with `host: { reserve: … }`',
    ...defined({ at }),
  }
}

/** Where only the owner sets pages aside, they must be there already. */
function checkHugepages(host: Host, spec: Spec, places?: SpecPlaces): Finding[] {
  const wanting = spec.vms.filter((vm) => vm.hugepages)
  if (wanting.length === 0 || hugepageKiBOf(host.memory.hugepages ?? [], spec) !== undefined) return []
  const wanted = sum(wanting.map((vm) => vm.memoryMiB))
  const pools = host.memory.hugepages ?? []
  const has = pools
    .filter(({ total }) => total > 0)
    .map(({ sizeKiB, total }) => `${total} of ${formatSize(sizeKiB / 1024)}`)
  const size = pools.toSorted((a, b) => a.sizeKiB - b.sizeKiB)[0]?.sizeKiB ?? 2048
  const pages = Math.ceil((wanted * 1024) / size)
  const at = placeOf(places, ['vms', wanting[0]?.name ?? '', 'hugepages'], 'key')
  return [
    {
      code: 'hugepages-missing',
      severity: 'error',
      message:
        `${sayVms(wanting)} ${wanting.length === 1 ? 'wants' : 'want'} huge pages, and the host has set ` +
        `aside ${has.length === 0 ? 'none' : listAll(has)}`,
      help:
        `let apply do it with \`host: { hugepages: 2 MiB }\`, or soon after boot, while memory is whole: ` +
        `echo ${pages} > /sys/kernel/mm/hugepages/hugepages-${size}kB/nr_hugepages`,
      ...defined({ at }),
    },
  ]
}

function sayVms(vms: readonly VmSpec[]): string {
  const named = vms.slice(0, 6).map((vm) => `${vm.name} ${formatSize(vm.memoryMiB)}`)
  return vms.length > 6 ? `${named.join(', ')} and ${vms.length - 6} more` : listAll(named)
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
