/**
 * `handover confirm`: accepts a trial boot. First the clock that would take the host back is stopped, then what was on
 * trial is made permanent, as a transaction of its own.
 */
import { apply, type ApplyResult } from '../../apply/apply.ts'
import { readLastApplied, readTrialApplied } from '../../apply/journal.ts'
import { trialConfirmedPath, trialHealthPath } from '../../boot/trial/trial.ts'
import { AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import { hasErrors } from '../../base/finding.ts'
import { planConfirm } from '../../plan/changes/plan-boot.ts'
import { isTrialBoot, isTrialPrepared } from '../../plan/changes/plan-trial.ts'
import { emptyPlan, type Plan } from '../../plan/types.ts'
import type { Context } from '../context.ts'
import { readSource } from '../read-source.ts'
import { renderCause } from '../../show/text/events.ts'
import { transactionProgress } from '../render/progress.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { refuseCommands, withoutInterruption } from '../transaction.ts'
import { version } from '../version.ts'

type Options = { readonly json?: boolean; readonly root?: string }

export async function runConfirm(_args: readonly string[], options: Options, context: Context): Promise<ExitCode> {
  const { system } = context
  const host = await readSource({}, context)
  if (!isTrialPrepared(host))
    throw new AppError('there is no trial boot to confirm', { help: 'see what was done: handover journal' })
  if (!isTrialBoot(host))
    throw new AppError(host.boot?.trialResult ?? 'this is not the trial boot, it is the one from before', {
      help: 'to try again: handover rollback, then handover apply',
    })
  const health = system.readText(trialHealthPath, 4096)
  if (!health.ok || health.value.trim() !== 'healthy')
    throw new AppError(`the trial boot is not healthy: ${health.ok ? health.value.trim() : 'nothing has checked it'}`, {
      help: 'systemctl status handover-trial; without a confirmation the host goes back by itself',
    })
  const { steps, findings } = planConfirm(host)
  if (hasErrors(findings)) {
    context.err(renderFindings(findings, context.errStyle))
    return exitCode.errorFindings
  }
  if (options.root !== undefined) refuseCommands(steps, options.root)
  system.makeFolder('/run/handover')
  system.writeFile(trialConfirmedPath, `${system.now().toISOString()}\n`)
  const last = readLastApplied(system)
  const { report, end } = transactionProgress(context)
  const trial = readTrialApplied(system)
  const given = { report, version, ...(trial ? { continues: trial.id } : {}), ...(last ? specOf(last) : {}) }
  const result = await withoutInterruption(() => apply(confirmedPlan(last, steps), system, given)).finally(end)
  return conclude(result, options, context)
}

function specOf(last: { readonly spec?: string }): { spec?: string } {
  return last.spec === undefined ? {} : { spec: last.spec }
}

/** Who owns what does not change by a confirmation. */
function confirmedPlan(last: ReturnType<typeof readLastApplied>, steps: Plan['steps']): Plan {
  return {
    ...emptyPlan,
    assignments: last?.assignments ?? [],
    takenAlong: last?.takenAlong ?? [],
    spare: last?.spare ?? [],
    steps,
    startOrder: last?.startOrder ?? [],
  }
}

function conclude(result: ApplyResult, options: Options, context: Context): ExitCode {
  if (options.json) context.out(JSON.stringify({ schema: 1, ...result }, null, 2))
  switch (result.outcome) {
    case 'nothing-to-do':
    case 'applied':
      if (!options.json) context.out('confirmed: every later boot is like this one. To take it back: handover rollback')
      return exitCode.done
    case 'restored':
      context.err(renderCause(result))
      context.err(
        'the trial is not permanent: this boot stays as it is, the next one is as before\n  help: mend the reason, then: handover confirm (or give the trial up: handover rollback)',
      )
      return exitCode.applyFailedRestored
    case 'not-restored':
      context.err(renderCause(result))
      for (const line of result.leftovers) context.err(`  ${line}`)
      context.err(
        `the trial is not permanent, and the host is NOT fully as before (journal ${result.id})\n  help: handover rollback ${result.id} tries again; docs/safety.md shows recovery by hand`,
      )
      return exitCode.applyFailedNotRestored
  }
}
