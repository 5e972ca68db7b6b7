/** `handover rollback [ID]`: takes an apply back, the newest one in force when none is named. */
import { rollbackDocument } from '../../api/rollback.ts'
import { takeBack, type RollbackCaller } from '../../app/rollback.ts'
import type { Journal } from '../../apply/journal.ts'
import type { RollbackResult } from '../../apply/rollback.ts'
import { clean } from '../../base/printable.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { kindOf } from '../../steps/step.ts'
import { askToGoOn } from '../ask.ts'
import { printDocument, type Context } from '../context.ts'
import { attendance } from '../transaction.ts'

type Options = { readonly json?: boolean; readonly yes?: boolean }

export async function runRollback(
  args: readonly string[],
  options: Options,
  context: Context,
): Promise<ExitCode> {
  const taken = await takeBack(context.system, args[0], callerOf(options, context))
  if (taken.outcome === 'declined') {
    context.err('nothing was changed')
    return exitCode.done
  }
  const document = rollbackDocument(taken)
  if (options.json) printDocument(context, document)
  else {
    context.out(renderResult(taken.results.at(-1) ?? taken.results[0]))
    if (document.outcome === 'rolled-back' && taken.needsReboot)
      context.out(
        'the running kernel still has the arguments and the bindings it was started with: ' +
          'reboot to be as before',
      )
  }
  return document.outcome === 'rollback-incomplete' ? exitCode.applyFailedNotRestored : exitCode.done
}

function callerOf({ yes }: Options, context: Context): RollbackCaller {
  const show = (journal: Journal, after: string | undefined) => {
    const { id, createdAt, steps } = journal.record
    if (after !== undefined) context.err(`${after} is taken back; and the trial it began with, ${id}:`)
    context.err(clean(`rollback of ${id}, ${journal.status} ${createdAt}:`))
    for (const step of steps.toReversed()) context.err(`  ${clean(kindOf(step).wordsBefore(step))}`)
  }
  const goOn = ({ record }: Journal) => askToGoOn('Take this back?', `handover rollback ${record.id} --yes`)
  return { ...attendance(context), show, ...(yes === true ? {} : { goOn }) }
}

function renderResult({ outcome, id, leftovers }: RollbackResult): string {
  switch (outcome) {
    case 'nothing-to-do':
      return id === '' ? 'nothing is applied: there is nothing to take back' : `${id} is already taken back`
    case 'rolled-back':
      return `${id} is taken back: everything it changed is as it was before`
    case 'rollback-incomplete': {
      const lines = leftovers.map((line) => `  ${line}`)
      return [
        `${id} is not fully taken back; still different:`,
        ...lines,
        'docs/safety.md: recovery by hand',
      ].join('\n')
    }
  }
}
