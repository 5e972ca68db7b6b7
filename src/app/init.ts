/** init: what this host has, by use, and a first home.yaml for what its owner wants. */
import type { Host } from '../host/host.ts'
import { byUse, type ByUse } from '../init/by-use.ts'
import { propose, type Proposal } from '../init/propose.ts'
import type { Wish } from '../init/wishes.ts'
import { judgeHost } from '../judge/judge.ts'
import type { System } from '../machine/system.ts'
import { createUserFile } from '../machine/user-file.ts'
import { readPlanningHost } from './planning-host.ts'
import { leavesUseOpen } from './plan.ts'

export type Look = {
  readonly host: Host
  readonly uses: readonly ByUse[]
  /** The input does not say what the host uses, so a proposal is conditional. */
  readonly conditional: boolean
}

export async function lookAround(system: System, from: string | undefined): Promise<Look> {
  const host = await readPlanningHost(system, from, {})
  const conditional = from !== undefined && leavesUseOpen(host)
  return { host, uses: byUse(host, judgeHost(host)), conditional }
}

/** Pure, but for the look it is given. */
export function proposeFor({ host, conditional }: Look, wishes: readonly Wish[]): Proposal {
  return propose(host, wishes, { conditional, standIns: host.source.kind === 'capture' })
}

/** Throws UsageError where something is at `file` already: a spec of somebody is never replaced. */
export function writeProposal({ text }: Proposal, file: string): void {
  if (text !== undefined) createUserFile(file, text, 'another file: handover init -o FILE')
}
