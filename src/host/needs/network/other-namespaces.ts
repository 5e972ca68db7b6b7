/**
 * Finds network drivers without a port in this namespace. sysfs shows only the interfaces of the reader's
 * network namespace, so a port that was moved into a container is not visible, and its use is unknown.
 */
import { deviceClass, type PciDevice } from '../../../pci/device.ts'
import type { LostNeed } from '../../host.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { isHeldOrUnknown } from './could-carry.ts'
import type { NetworkFacts } from './facts.ts'

export function lostInOtherNamespaces(facts: NetworkFacts, devices: readonly PciDevice[]): LostNeed[] {
  const { reading, interfaces } = facts
  // Every namespace has at least `lo`, so an empty list was not read.
  if (interfaces.gap !== undefined || interfaces.byName.size === 0) return []
  const shown = new Set([...interfaces.byName.values()].flatMap(({ owner }) => owner ?? []))
  const hidden = devices.filter(
    (device) =>
      typeof device.driver === 'string' &&
      isHeldOrUnknown(device) &&
      deviceClass(device) === 'nic' &&
      !shown.has(device.address),
  )
  if (hidden.length === 0) return []
  const where = otherNamespace(reading)
  if (where === undefined) return []
  return hidden.map(({ address, driver }) => ({
    kind: 'network',
    what: 'a use in another network namespace',
    chain: [],
    lost: address,
    why: `${driver ?? 'its driver'} holds it and it shows no interface here (${where})`,
    couldBe: [address],
  }))
}

/**
 * The place where the interface may be. `undefined` if every program is in this namespace and no mount keeps
 * another one.
 */
function otherNamespace(reading: Reading): string | undefined {
  const own = linkOf(reading, '/proc/self/ns/net') ?? linkOf(reading, '/proc/1/ns/net')
  if (own === undefined) return 'nothing says which other namespaces there are'
  const kept = /^\d+ \d+ \S+ net:\[\d+\] (\S+) .*- nsfs /m.exec(
    textOf(reading, '/proc/self/mountinfo', 16 << 20) ?? '',
  )?.[1]
  if (kept !== undefined) return `namespace ${kept}`
  let hidden: string | undefined
  for (const pid of namesIn(reading, '/proc').filter((name) => /^\d{1,10}$/.test(name))) {
    const link = reading.system.readLink(`/proc/${pid}/ns/net`)
    if (link.ok && link.value !== own) return `namespace of process ${pid}, ${nameOf(reading, pid)}`
    if (!link.ok && link.reason === 'unreadable') hidden ??= `the namespace of process ${pid} cannot be read`
  }
  return hidden
}

function nameOf(reading: Reading, pid: string): string {
  const name = textOf(reading, `/proc/${pid}/comm`) ?? ''
  const group = /^0::\/(\S+)$/m.exec(textOf(reading, `/proc/${pid}/cgroup`) ?? '')?.[1]
  return group === undefined ? name : `${name} in ${group.slice(0, 80)}`
}
