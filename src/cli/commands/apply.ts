/** `handover apply SPEC`: shows the plan, asks, does it, and prints what became of it. */
import { recoveryCardPath } from '../../boot/trial/recovery-card.ts'
import { defined } from '../../base/defined.ts'
import type { ApplyResult } from '../../apply/apply.ts'
import { applyDocument } from '../../api/apply.ts'
import { findingsDocument } from '../../api/failure.ts'
import { applySpec, type Applied, type ApplyCaller } from '../../app/apply.ts'
import type { Planned } from '../../app/plan.ts'
import { exitCodeOf } from '../../app/spec-error.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { formatCommand } from '../../boot/shell-quote.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { renderPlan } from '../../show/text/plan.ts'
import { askForWord, askToGoOn } from '../ask.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { planChoices, type PlanningOptions } from '../planning-options.ts'
import { attendance, concludeFailed } from '../transaction.ts'
import { version } from '../version.ts'

type Options = ReadingOptions & PlanningOptions & { readonly yes?: boolean; readonly plan?: string }

export async function runApply(
  args: readonly string[],
  options: Options,
  context: Context,
): Promise<ExitCode> {
  if (options.from !== undefined)
    throw new UsageError(
      'apply changes this machine and takes no --from',
      'to see what it would do there: handover plan',
    )
  const [spec = ''] = args
  const request = {
    ...{ spec, choices: planChoices(options), version },
    ...defined({ hash: options.plan }),
  }
  const applied = await applySpec(context.system, request, callerOf(spec, options, context))
  switch (applied.outcome) {
    case 'has-errors': {
      // They are on standard error already, with the plan.
      const { findings } = applied.planned.plan
      if (options.json === true) printDocument(context, findingsDocument(findings))
      return exitCodeOf(findings)
    }
    case 'declined':
      context.err('nothing was changed')
      return exitCode.done
    case 'ended':
      return conclude(applied, options, context)
  }
}

function callerOf(spec: string, options: Options, context: Context): ApplyCaller {
  const show = ({ plan, host, source }: Planned) => {
    const { errStyle, columns } = context
    context.err(renderPlan(plan, { host, spec: source.spec, style: errStyle, columns }))
    context.err(
      renderFindings(plan.findings, errStyle, { sources: new Map([[source.file, source.text]]), columns }),
    )
  }
  const caller = { ...attendance(context), show }
  if (options.yes === true) return caller
  const command = `handover apply ${formatCommand([spec, ...flagsOf(options), '--yes'])}`
  const goOn = () => askToGoOn('Change the host as shown?', command)
  return { ...caller, questions: { forWord: askForWord, goOn } }
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

type Ended = Extract<Applied, { outcome: 'ended' }>

function conclude(ended: Ended, { json }: Options, context: Context): ExitCode {
  const { result } = ended
  const { needsReboot } = ended.planned.plan
  const print = json === true ? () => undefined : context.out
  if (json === true) printDocument(context, applyDocument(ended))
  if (ended.unrecorded !== undefined) context.err(`this boot is not recorded as good: ${ended.unrecorded}`)
  switch (result.outcome) {
    case 'nothing-to-do':
      print(
        needsReboot
          ? `nothing to do: everything is written, and takes effect ${afterReboot(ended)}`
          : 'nothing to do: the host is as planned',
      )
      return exitCode.done
    case 'applied':
      return concludeApplied(result, ended, { print, context })
    case 'restored':
    case 'not-restored': {
      const restored = `the host is as it was before (journal ${result.id})`
      return concludeFailed(
        result,
        { restored, notRestored: `the host is NOT fully as before (journal ${result.id}):` },
        context,
      )
    }
  }
}

type Success = Extract<ApplyResult, { outcome: 'applied' }>

function concludeApplied(
  result: Success,
  ended: Ended,
  { print, context }: { readonly print: (text: string) => void; readonly context: Context },
): ExitCode {
  const { open } = ended
  const wrong = (open?.findings ?? []).filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) {
    // A plan with an error has no steps: nothing left to do would be a false good news.
    context.err(renderFindings(wrong, context.errStyle, { columns: context.columns }))
    const { id } = result
    context.err(
      `applied as ${id}, but planning again finds the errors above; handover rollback ${id} takes it back`,
    )
    return exitCode.errorFindings
  }
  const left = open?.steps.length ?? 0
  // Some things could not be planned before this apply: what is left then is the second half, and no failure.
  const again = ended.planned.plan.again === true
  print(renderApplied(result, ended, { left, again }))
  if (ended.isTrial && left === 0) print(`if that boot goes wrong (print this page now): ${recoveryCardPath}`)
  return left > 0 && !again ? exitCode.errorFindings : exitCode.done
}

const afterReboot = ({ isTrial }: Ended) =>
  isTrial ? 'after a reboot, which is a trial boot and waits for: handover confirm' : 'after a reboot'

function renderApplied(
  { id, needsReboot }: Success,
  ended: Ended,
  { left, again }: { readonly left: number; readonly again: boolean },
): string {
  if (left > 0 && again)
    return (
      `applied as ${id}: the virtual functions are there. ` +
      `Run the same command again to set them up and give them away (${left} more to change)`
    )
  if (left > 0)
    return (
      `applied as ${id}, but reading the machine again finds ${left} more to change: ` +
      `handover plan shows them, handover rollback ${id} takes this back`
    )
  const rest = needsReboot
    ? `; the rest takes effect ${afterReboot(ended)}`
    : '; the machine was read again and is as planned'
  return `applied as ${id}${rest}. To take it back: handover rollback ${id}`
}
