/**
 * apply: plans, asks, changes the host as one transaction, journals it, and reads the machine again. After
 * the questions the plan is made a second time, since people take their time and hosts do not wait.
 */
import { defined } from '../base/defined.ts'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { apply, type ApplyResult } from '../apply/apply.ts'
import { hashPlan } from '../apply/plan-hash.ts'
import { AppError, exitCode } from '../base/errors.ts'
import { hasErrors } from '../base/finding.ts'
import type { System } from '../machine/system.ts'
import { isTrialPrepared } from '../plan/changes/plan-trial.ts'
import type { Plan } from '../plan/types.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import { concede, refuseNewUse, type AskForWord } from './concede.ts'
import { planSource, type PlanChoices, type Planned } from './plan.ts'
import { readSpec, type ReadSpec } from './read-spec.ts'
import { acceptBoot } from './watch.ts'
import { attended, refuseCommands, type Attendance } from './transaction.ts'

export type ApplyRequest = {
  /** The file of the spec. */
  readonly spec: string
  readonly choices?: PlanChoices
  /** Apply only this plan, named by its hash or eight or more of its first characters. */
  readonly hash?: string
  /** Of the program, for the journal. */
  readonly version?: string
}

/** What is asked of a person. */
export type Questions = {
  readonly forWord: AskForWord
  readonly goOn: () => Promise<boolean>
}

export type ApplyCaller = Attendance & {
  /** The plan, before anything is asked or changed. */
  readonly show?: (planned: Planned, hash: string) => void
  /** Absent where the answer to everything is yes; that gives up nothing of what the host uses. */
  readonly questions?: Questions
}

export type Applied = {
  readonly planned: Planned
  readonly hash: string
} & (
  | { readonly outcome: 'has-errors' | 'declined' }
  | {
      readonly outcome: 'ended'
      readonly result: ApplyResult
      /** A trial boot is prepared, by this apply or an earlier one. */
      readonly isTrial: boolean
      /** Why this boot could not be recorded as the good one. */
      readonly unrecorded?: string
      /** The plan made after the apply: it must have no steps left. */
      readonly open?: Plan
    }
)

/** Throws SpecError for the spec and AppError for whatever stops it before anything is changed. */
export async function applySpec(
  system: System,
  request: ApplyRequest,
  caller: ApplyCaller = {},
): Promise<Applied> {
  const source = readSpec(request.spec)
  const planNow = () => planSource(system, source, { choices: request.choices ?? {} })
  const planned = await planNow()
  const hash = await hashPlan(planned.plan)
  caller.show?.(planned, hash)
  const { plan, host } = planned
  if (hasErrors(plan.findings)) return { planned, hash, outcome: 'has-errors' }
  refuseOtherPlan(request.hash, hash)
  refuseCommands(system, plan.steps)
  if (plan.steps.length === 0 && host.iommu.state === 'off') throw waitsForIommu(plan)
  if (plan.steps.length > 0) {
    if (!(await isAgreed(plan, caller.questions))) return { planned, hash, outcome: 'declined' }
    if (caller.questions !== undefined) await refuseChanged({ plan, hash }, (await planNow()).plan)
  }
  const result = await transact(system, planned, { request, caller })
  // After a failure nothing more is read: what was and was not restored is reported in any state of the host.
  const after = result.outcome === 'applied' ? await planNow() : undefined
  const isTrial = isTrialPrepared((after ?? planned).host)
  const isDone = result.outcome === 'applied' || result.outcome === 'nothing-to-do'
  // Errors that the second plan finds were not there when a person looked.
  const isAccepted = isDone && !hasErrors((after ?? planned).plan.findings)
  const unrecorded = isAccepted ? await acceptBoot(system) : undefined
  return { planned, hash, outcome: 'ended', result, isTrial, ...defined({ open: after?.plan, unrecorded }) }
}

async function isAgreed({ concessions = [] }: Plan, questions: Questions | undefined): Promise<boolean> {
  if (!(await concede(concessions, questions?.forWord))) return false
  return questions === undefined || (await questions.goOn())
}

async function refuseChanged(
  shown: { readonly plan: Plan; readonly hash: string },
  now: Plan,
): Promise<void> {
  refuseOtherPlan(shown.hash, await hashPlan(now))
  refuseNewUse(shown.plan.concessions ?? [], now.concessions ?? [])
}

function refuseOtherPlan(wanted: string | undefined, hash: string): void {
  if (wanted === undefined || (wanted.length >= 8 && hash.startsWith(wanted))) return
  throw new AppError(`the plan is ${hash}, not ${wanted}; nothing was changed`, {
    help: 'look at the plan above, and use its hash when it is what you want',
    exitCode: exitCode.applyFailedRestored,
  })
}

/** Nothing is recorded as applied while no device can be given to anyone. */
function waitsForIommu({ needsReboot }: Plan): AppError {
  return needsReboot
    ? new AppError('the kernel command line is prepared, and the running kernel does not have it yet', {
        help: 'reboot, then run the same command again',
      })
    : new AppError('the IOMMU is off, so no device can be given to a virtual machine; nothing was changed', {
        help: 'see the findings above',
      })
}

/** A change without steps (more memory) is recorded like any other; a comment is no change. */
function isSameSpec(applied: string | undefined, { spec, file }: ReadSpec): boolean {
  return applied !== undefined && isDeepStrictEqual(parseSpec(applied, file).spec, spec)
}

function transact(
  system: System,
  { plan, host, source }: Planned,
  given: { readonly request: ApplyRequest; readonly caller: ApplyCaller },
): Promise<ApplyResult> {
  const { version } = given.request
  const { report } = given.caller
  const stop = new AbortController()
  const options = {
    ...{ spec: resolve(source.file), specText: source.text, host, signal: stop.signal },
    isSameSpec: (applied: string | undefined) => isSameSpec(applied, source),
    ...defined({ report, version }),
  }
  return attended(
    given.caller,
    () => apply(plan, system, options),
    () => stop.abort(),
  )
}
