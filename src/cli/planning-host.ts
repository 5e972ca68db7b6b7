/** The Host that planning looks at: as read, with what an apply in force or the lock knows of devices that hide it now. */
import { readLastApplied } from '../apply/journal.ts'
import type { Host } from '../host/host.ts'
import { recallSerials } from '../plan/who/recall.ts'
import { readPaths } from '../host/read/read-paths.ts'
import { pathsToAsk } from '../plan/outlook/vm-paths.ts'
import type { Spec } from '../spec/spec.ts'
import type { Context, ReadingOptions } from './context.ts'
import { readSource } from './read-source.ts'
import type { ReadSpec } from './read-spec.ts'

/** A capture or listing is some other machine, or this one at another time: the journal here says nothing of it. */
export async function readPlanningHost(
  options: ReadingOptions,
  context: Context,
  { lock, spec }: Pick<ReadSpec, 'lock' | 'spec'>,
): Promise<Host> {
  const host = withPaths(await readSource(options, context), spec, { options, context })
  const last = options.from === undefined ? readLastApplied(context.system) : undefined
  const applied = [...(last?.assignments ?? []), ...(last?.takenAlong ?? [])]
  return recallSerials(
    host,
    [...applied, ...(lock?.devices ?? [])].map(({ identity }) => identity),
  )
}

/** What lies where the spec says is a fact of this machine, or of the tree in its place. */
function withPaths(
  host: Host,
  spec: Spec | undefined,
  { options, context }: { readonly options: ReadingOptions; readonly context: Context },
): Host {
  if (options.from !== undefined || spec === undefined) return host
  return { ...host, paths: readPaths(context.system, pathsToAsk(spec)) }
}
