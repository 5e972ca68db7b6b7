/** `handover rollback [ID]`: takes an apply back, the newest one in force when none is named. */
import { findEarlier, rollback, findRollback, type RollbackResult } from '../../apply/rollback.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { askToGoOn } from '../ask.ts'
import type { Context } from '../context.ts'
import { formatBefore } from '../../show/text/events.ts'
import { clean } from '../../show/text/text-layout.ts'
import { transactionProgress } from '../render/progress.ts'
import { withoutInterruption } from '../transaction.ts'

type Options = {
  readonly root?: string
  readonly json?: boolean
  readonly yes?: boolean
  /** Set for what is taken back along with a confirmation. */
  readonly isPart?: true
}

export async function runRollback(args: readonly string[], options: Options, context: Context): Promise<ExitCode> {
  const { system } = context
  const journal = findRollback(system, args[0])
  if (journal) {
    const { id, createdAt, steps } = journal.record
    context.err(clean(`rollback of ${id}, ${journal.status} ${createdAt}:`))
    for (const step of steps.toReversed()) context.err(`  ${clean(formatBefore(step))}`)
    const command = `handover rollback ${id} --yes`
    const goOn = await askToGoOn('Take this back?', { yes: options.yes === true, command })
    if (!goOn) {
      context.err('nothing was changed')
      return exitCode.done
    }
  }
  const { report, end } = transactionProgress(context)
  const result = await withoutInterruption(() =>
    rollback(system, journal?.record.id ?? args[0], { report, elsewhere: options.root !== undefined }),
  ).finally(end)
  const earlier =
    journal && result.outcome === 'rolled-back'
      ? findEarlier(system, journal.record, options.isPart === true)
      : undefined
  if (earlier !== undefined) {
    context.err(`${result.id} is taken back; and the trial it began with, ${earlier}:`)
    return runRollback([earlier], { ...options, yes: true, isPart: true }, context)
  }
  if (options.json) context.out(JSON.stringify({ schema: 1, ...result }, null, 2))
  else context.out(renderResult(result))
  if (!options.json && result.outcome === 'rolled-back' && journal?.record.needsReboot === true)
    context.out(
      'the running kernel still has the arguments and the bindings it was started with: reboot to be as before',
    )
  return result.outcome === 'rollback-incomplete' ? exitCode.applyFailedNotRestored : exitCode.done
}

function renderResult(result: RollbackResult): string {
  switch (result.outcome) {
    case 'nothing-to-do':
      return result.id === ''
        ? 'nothing is applied: there is nothing to take back'
        : `${result.id} is already taken back`
    case 'rolled-back':
      return `${result.id} is taken back: everything it changed is as it was before`
    case 'rollback-incomplete': {
      const lines = result.leftovers.map((line) => `  ${line}`)
      return [
        `${result.id} is not fully taken back; still different:`,
        ...lines,
        'docs/safety.md: recovery by hand',
      ].join('\n')
    }
  }
}
