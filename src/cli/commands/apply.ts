/**
 * `handover apply SPEC`: shows the plan, asks, does it, journals it, and reads the machine again. The plan is made anew
 * after the question, since people take their time and hosts do not wait.
 */
import { resolve } from 'node:path'
import { apply, type ApplyResult } from '../../apply/apply.ts'
import { hashPlan } from '../../apply/plan-hash.ts'
import { AppError, exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { formatCommand } from '../../boot/shell-quote.ts'
import { hasErrors } from '../../base/finding.ts'
import { plan } from '../../plan/plan.ts'
import { isTrialPrepared } from '../../plan/changes/plan-trial.ts'
import type { Host } from '../../host/host.ts'
import type { Plan } from '../../plan/types.ts'
import { askToGoOn } from '../ask.ts'
import { concede, refuseNewUse } from '../concede.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { readPlanningHost } from '../planning-host.ts'
import { planInput, type PlanningOptions } from '../planning-options.ts'
import { exitCodeOf, readSpec } from '../read-spec.ts'
import { renderCause } from '../../show/text/events.ts'
import { transactionProgress } from '../render/progress.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { renderPlan } from '../../show/text/plan.ts'
import { refuseCommands, withoutInterruption } from '../transaction.ts'
import { version } from '../version.ts'

type Options = ReadingOptions & PlanningOptions & { readonly yes?: boolean; readonly plan?: string }

export async function runApply(args: readonly string[], options: Options, context: Context): Promise<ExitCode> {
  if (options.from !== undefined)
    throw new UsageError(
      'apply changes this machine and takes no --from',
      'to see what it would do there: handover plan',
    )
  const read = readSpec(args[0] ?? '')
  const { spec, findings, file, text } = read
  const sources = new Map([[file, text]])
  if (spec === undefined) {
    context.err(renderFindings(findings, context.errStyle, sources))
    return exitCodeOf(findings)
  }
  const input = planInput(options, read)
  const planNow = async () => {
    const host = await readPlanningHost(options, context, read)
    return { host, planned: plan(host, spec, input) }
  }
  const { host, planned } = await planNow()
  const hash = await hashPlan(planned)
  context.err(renderPlan(planned, { host, spec, style: context.errStyle, columns: context.columns }))
  context.err(renderFindings(planned.findings, context.errStyle, sources))
  if (hasErrors(planned.findings)) return exitCodeOf(planned.findings)
  refuseOtherPlan(options.plan, hash)
  if (options.root !== undefined) refuseCommands(planned.steps, options.root)
  if (planned.steps.length === 0 && host.iommu.state === 'off') return waitForIommu(planned)
  if (planned.steps.length > 0) {
    if (!(await isAgreed(planned, file, options))) {
      context.err('nothing was changed')
      return exitCode.done
    }
    // People take their time at a question, and hosts do not wait.
    if (options.yes !== true) await refuseChanged({ planned, hash }, (await planNow()).planned)
  }
  const result = await runTransaction(planned, { file, host, context })
  // After a failure nothing more is read: what was and was not restored must be said, whatever state the host is in.
  const after = result.outcome === 'applied' ? await planNow() : undefined
  const isTrial = isTrialPrepared((after ?? { host }).host)
  return conclude(result, { hash, planned, isTrial, open: after?.planned, options, context })
}

async function isAgreed(planned: Plan, file: string, options: Options): Promise<boolean> {
  const yes = options.yes === true
  if (!(await concede(planned.concessions ?? [], { yes }))) return false
  const command = `handover apply ${formatCommand([file, ...flagsOf(options), '--yes'])}`
  return await askToGoOn('Change the host as shown?', { yes, command })
}

async function refuseChanged(shown: { readonly planned: Plan; readonly hash: string }, now: Plan): Promise<void> {
  refuseOtherPlan(shown.hash, await hashPlan(now))
  refuseNewUse(shown.planned.concessions ?? [], now.concessions ?? [])
}

/** What a command that is shown must not lose: without --no-boot it would change more than was asked for. */
function flagsOf({ boot, confirm, confirmWithin, root }: Options): string[] {
  return [
    ...(boot === false ? ['--no-boot'] : []),
    ...(confirm === false ? ['--no-confirm'] : []),
    ...(confirmWithin === undefined ? [] : ['--confirm-within', confirmWithin]),
    ...(root === undefined ? [] : ['--root', root]),
  ]
}

/** Nothing is recorded as applied while no device can be given to anyone. */
function waitForIommu(planned: Plan): never {
  if (planned.needsReboot)
    throw new AppError('the kernel command line is prepared, and the running kernel does not have it yet', {
      help: 'reboot, then run the same command again',
    })
  throw new AppError('the IOMMU is off, so no device can be given to a virtual machine; nothing was changed', {
    help: 'see the findings above',
  })
}

function refuseOtherPlan(wanted: string | undefined, hash: string): void {
  if (wanted === undefined || (wanted.length >= 8 && hash.startsWith(wanted))) return
  throw new AppError(`the plan is not ${wanted} (any more), it is ${hash}; nothing was changed`, {
    help: 'look at the plan above, and use its hash when it is what you want',
    exitCode: exitCode.applyFailedRestored,
  })
}

function runTransaction(
  planned: Plan,
  given: { readonly file: string; readonly host: Host; readonly context: Context },
): Promise<ApplyResult> {
  const { context, host } = given
  const stop = new AbortController()
  const { report, end } = transactionProgress(context)
  const options = { report, spec: resolve(given.file), host, version, signal: stop.signal }
  return withoutInterruption(
    () => apply(planned, context.system, options),
    () => stop.abort(),
  ).finally(end)
}

type Conclusion = {
  readonly hash: string
  readonly planned: Plan
  /** A trial boot is prepared, by this apply or an earlier one. */
  readonly isTrial: boolean
  /** The plan made after the apply: it must have no steps left. */
  readonly open: Plan | undefined
  readonly options: Options
  readonly context: Context
}

function conclude(result: ApplyResult, conclusion: Conclusion): ExitCode {
  const { hash, planned, isTrial, open, options, context } = conclusion
  if (options.json) {
    const stepsLeft = open === undefined ? null : open.steps.length
    const { needsReboot } = planned
    context.out(JSON.stringify({ schema: 1, planHash: hash, needsReboot, ...result, stepsLeft }, null, 2))
  }
  switch (result.outcome) {
    case 'nothing-to-do':
      if (!options.json)
        context.out(
          planned.needsReboot
            ? `nothing to do: everything is written, and takes effect ${afterReboot(isTrial)}`
            : 'nothing to do: the host is as planned',
        )
      return exitCode.done
    case 'applied':
      return concludeApplied(result, conclusion)
    case 'restored':
      context.err(renderCause(result))
      context.err(`the host is as it was before (journal ${result.id})`)
      return exitCode.applyFailedRestored
    case 'not-restored':
      context.err(renderCause(result))
      context.err(`the host is NOT fully as before (journal ${result.id}):`)
      for (const line of result.leftovers) context.err(`  ${line}`)
      context.err(`  help: handover rollback ${result.id} tries again; docs/safety.md shows recovery by hand`)
      return exitCode.applyFailedNotRestored
  }
}

type Applied = Extract<ApplyResult, { outcome: 'applied' }>

function concludeApplied(result: Applied, { planned, isTrial, open, options, context }: Conclusion): ExitCode {
  const wrong = (open?.findings ?? []).filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) {
    // A plan with an error has no steps: nothing left to do would be a false good news.
    context.err(renderFindings(wrong, context.errStyle))
    context.err(
      `applied as ${result.id}, but planning again finds the errors above; handover rollback ${result.id} takes it back`,
    )
    return exitCode.errorFindings
  }
  const left = open?.steps.length ?? 0
  // Some things could not be planned before this apply: what is left then is the second half, and no failure.
  const again = planned.again === true
  if (!options.json) context.out(renderApplied(result, { left, again, isTrial }))
  return left > 0 && !again ? exitCode.errorFindings : exitCode.done
}

const afterReboot = (isTrial: boolean) =>
  isTrial ? 'after a reboot, which is a trial boot and waits for: handover confirm' : 'after a reboot'

function renderApplied(result: Applied, what: { left: number; again: boolean; isTrial: boolean }): string {
  const { left, again, isTrial } = what
  if (left > 0 && again)
    return `applied as ${result.id}: the virtual functions are there. Run the same command again to set them up and give them away (${left} more to change)`
  if (left > 0)
    return `applied as ${result.id}, but reading the machine again finds ${left} more to change: handover plan shows them, handover rollback ${result.id} takes this back`
  const rest = result.needsReboot
    ? `; the rest takes effect ${afterReboot(isTrial)}`
    : '; the machine was read again and is as planned'
  return `applied as ${result.id}${rest}. To take it back: handover rollback ${result.id}`
}
