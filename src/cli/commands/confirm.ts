/** `handover confirm`: accepts a trial boot, and prints what became of it. */
import { confirmDocument } from '../../api/confirm.ts'
import { confirmTrial } from '../../app/confirm.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { printDocument, type Context } from '../context.ts'
import { endAtFindings } from '../spec-errors.ts'
import { attendance, concludeFailed } from '../transaction.ts'
import { version } from '../version.ts'

type Options = { readonly json?: boolean }

export async function runConfirm(
  _args: readonly string[],
  options: Options,
  context: Context,
): Promise<ExitCode> {
  const result = await confirmTrial(context.system, { version }, attendance(context))
  if (result.outcome === 'has-errors') {
    await endAtFindings(result.findings, context, options)
    return exitCode.errorFindings
  }
  if (options.json) printDocument(context, confirmDocument(result))
  switch (result.outcome) {
    case 'nothing-to-do':
    case 'applied':
      if (!options.json)
        context.out('confirmed: every later boot is like this one. To take it back: handover rollback')
      return exitCode.done
    case 'restored':
    case 'not-restored':
      return concludeFailed(result, { restored: keptTrial, notRestored: notRestored(result.id) }, context)
  }
}

const keptTrial =
  'the trial is not permanent: this boot stays as it is, the next one is as before\n' +
  '  help: mend the reason, then: handover confirm (or give the trial up: handover rollback)'

const notRestored = (id: string) =>
  `the trial is not permanent, and the host is NOT fully as before (journal ${id}):`
