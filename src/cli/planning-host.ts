/** The Host that planning looks at: as read, with what an apply in force or the lock knows of devices that hide it now. */
import { readLastApplied } from '../apply/journal.ts'
import type { Host } from '../host/host.ts'
import { recallSerials } from '../plan/recall.ts'
import type { Lock } from '../spec/lock.ts'
import type { Context, ReadingOptions } from './context.ts'
import { readSource } from './read-source.ts'

/** A capture or listing is some other machine, or this one at another time: the journal here says nothing of it. */
export async function readPlanningHost(
  options: ReadingOptions,
  context: Context,
  lock: Lock | undefined,
): Promise<Host> {
  const host = await readSource(options, context)
  const last = options.from === undefined ? readLastApplied(context.system) : undefined
  const applied = [...(last?.assignments ?? []), ...(last?.takenAlong ?? [])]
  return recallSerials(
    host,
    [...applied, ...(lock?.devices ?? [])].map(({ identity }) => identity),
  )
}
