/**
 * The Host that planning looks at: as read, with what an apply in force or the lock knows of devices that
 * hide it now.
 */
import { readLastApplied } from '../apply/journal.ts'
import type { Host } from '../host/host.ts'
import { readPaths } from '../host/read/read-paths.ts'
import type { System } from '../machine/system.ts'
import { pathsToAsk } from '../plan/outlook/vm-paths.ts'
import { recallSerials } from '../plan/who/recall.ts'
import { readSource } from './read-source.ts'
import type { ReadSpec } from './read-spec.ts'

/**
 * A capture or listing (`from`) is some other machine, or this one at another time: neither the journal nor
 * the files here are about it.
 */
export async function readPlanningHost(
  system: System,
  from: string | undefined,
  { lock, spec }: Pick<ReadSpec, 'lock'> & Partial<Pick<ReadSpec, 'spec'>>,
): Promise<Host> {
  const read = await readSource(system, from)
  const host =
    from === undefined && spec !== undefined ? { ...read, paths: readPaths(system, pathsToAsk(spec)) } : read
  const last = from === undefined ? readLastApplied(system) : undefined
  const applied = [...(last?.assignments ?? []), ...(last?.takenAlong ?? [])]
  return recallSerials(
    host,
    [...applied, ...(lock?.devices ?? [])].map(({ identity }) => identity),
  )
}
