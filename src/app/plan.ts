/** plan: who gets what, and every change, before anything is touched. */
import { defined } from '../base/defined.ts'
import type { Host } from '../host/host.ts'
import type { System } from '../machine/system.ts'
import { plan, type PlanInput } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { readPlanningHost } from './planning-host.ts'
import { readSpec, type ReadSpec } from './read-spec.ts'

/** What a caller decides beside the spec; it changes what is planned, so apply takes the same. */
export type PlanChoices = Pick<PlanInput, 'trial' | 'trialMinutes' | 'boot'>

export type PlanRequest = {
  /** The file of the spec. */
  readonly spec: string
  readonly from?: string
  readonly choices?: PlanChoices
}

export type Planned = {
  readonly plan: Plan
  readonly host: Host
  readonly source: ReadSpec
}

/**
 * Throws SpecError where the spec cannot be followed; what is wrong with the host is a finding of the plan.
 */
export async function planSpec(system: System, { spec, from, choices = {} }: PlanRequest): Promise<Planned> {
  return await planSource(system, readSpec(spec), { choices, ...defined({ from }) })
}

/** The plan of a spec that was read already, for the host as it is now. */
export async function planSource(
  system: System,
  source: ReadSpec,
  { from, choices }: Omit<PlanRequest, 'spec'>,
): Promise<Planned> {
  const { spec, places, lock } = source
  const host = await readPlanningHost(system, from, source)
  const conditional = from !== undefined && leavesUseOpen(host)
  return {
    source,
    host,
    plan: plan(host, spec, { places, ...choices, ...defined({ lock }), ...(conditional && { conditional }) }),
  }
}

/** A listing, or an archive of a machine without the files that state what the host uses. */
export function leavesUseOpen({ source, unreadNeeds = [] }: Host): boolean {
  if (source.kind === 'capture') return false
  return source.kind !== 'sysfs' || unreadNeeds.some((kind) => kind !== 'vm')
}
