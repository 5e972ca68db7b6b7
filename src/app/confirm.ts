/**
 * confirm: accepts a trial boot. First the clock that would take the host back is stopped, then what was on
 * trial is made permanent, as a transaction of its own.
 */
import { defined } from '../base/defined.ts'
import { apply, type ApplyResult } from '../apply/apply.ts'
import { readLastApplied, readTrialApplied, type JournalRecord } from '../apply/journal.ts'
import { AppError } from '../base/errors.ts'
import { hasErrors, type Finding } from '../base/finding.ts'
import { runFolder } from '../base/own-folders.ts'
import { trialConfirmedPath, trialHealthPath } from '../boot/trial/trial.ts'
import type { Host } from '../host/host.ts'
import type { System } from '../machine/system.ts'
import { planConfirm } from '../plan/changes/plan-boot.ts'
import { isTrialBoot, isTrialPrepared } from '../plan/changes/plan-trial.ts'
import { emptyPlan, type Plan } from '../plan/types.ts'
import { readSource } from './read-source.ts'
import { attended, refuseCommands, type Attendance } from './transaction.ts'

export type Confirmed =
  ApplyResult | { readonly outcome: 'has-errors'; readonly findings: readonly Finding[] }

/** `version` of the program, for the journal. */
export async function confirmTrial(
  system: System,
  { version }: { readonly version?: string },
  caller: Attendance = {},
): Promise<Confirmed> {
  const host = await readSource(system, undefined)
  refuseNoTrial(host)
  refuseUnhealthy(system)
  const { steps, findings } = planConfirm(host)
  if (hasErrors(findings)) return { outcome: 'has-errors', findings }
  refuseCommands(system, steps)
  system.makeFolder(runFolder)
  system.writeFile(trialConfirmedPath, `${system.now().toISOString()}\n`)
  const last = readLastApplied(system)
  const trial = readTrialApplied(system)
  const options = {
    ...defined({ report: caller.report, version, continues: trial?.id }),
    ...defined({ spec: last?.spec, specText: last?.specText }),
  }
  return await attended(caller, () => apply(confirmedPlan(last, steps), system, options))
}

function refuseNoTrial(host: Host): void {
  if (!isTrialPrepared(host))
    throw new AppError('there is no trial boot to confirm', { help: 'see what was done: handover journal' })
  if (!isTrialBoot(host))
    throw new AppError(host.boot?.trialResult ?? 'this is not the trial boot, it is the one from before', {
      help: 'to try again: handover rollback, then handover apply',
    })
}

function refuseUnhealthy(system: System): void {
  const health = system.readText(trialHealthPath, 4096)
  if (health.ok && health.value.trim() === 'healthy') return
  throw new AppError(
    `the trial boot is not healthy: ${health.ok ? health.value.trim() : 'nothing has checked it'}`,
    {
      help: 'systemctl status handover-trial; without a confirmation the host goes back by itself',
    },
  )
}

/** Who owns what does not change by a confirmation. */
function confirmedPlan(last: JournalRecord | undefined, steps: Plan['steps']): Plan {
  return {
    ...emptyPlan,
    assignments: last?.assignments ?? [],
    takenAlong: last?.takenAlong ?? [],
    spare: last?.spare ?? [],
    steps,
    startOrder: last?.startOrder ?? [],
  }
}
