/** Memory: a guest with a passed-through device has all of it pinned, from its start, whether it uses it or not. */
import type { Finding } from '../finding.ts'
import type { Host } from '../host/host.ts'
import { placeOf, type SpecPlaces } from '../spec/places.ts'
import type { Spec } from '../spec/spec.ts'
import { formatSize } from '../spec/units.ts'
import { listWords } from './words.ts'
import type { Plan } from './types.ts'

export function planMemory(
  host: Host,
  spec: Spec,
  places?: SpecPlaces,
): { memory: Plan['memory']; findings: Finding[] } {
  const pinning = spec.vms.filter((vm) => vm.devices.length > 0)
  const pinnedMiB = sum(pinning.map((vm) => vm.memoryMiB))
  const total = host.memory.totalMiB
  const memory = { pinnedMiB, hostTotalMiB: total ?? null }
  if (total === undefined || pinnedMiB + spec.host.reserveMiB <= total) return { memory, findings: [] }
  const at = placeOf(places, ['vms', pinning.at(-1)?.name ?? '', 'memory'])
  const message =
    `the guests would pin ${formatSize(pinnedMiB)} (${listWords(pinning.map((vm) => `${vm.name} ${formatSize(vm.memoryMiB)}`))}) ` +
    `and the host keeps ${formatSize(spec.host.reserveMiB)}, but it has only ${formatSize(total)}`
  const help = 'give the guests less memory, or the host less with `host: { reserve: … }`'
  return { memory, findings: [{ code: 'memory-overcommit', severity: 'error', message, help, ...(at ? { at } : {}) }] }
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
