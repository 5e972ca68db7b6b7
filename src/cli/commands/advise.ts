/** `handover advise [--card CARD]`: which slot a card would do well in, and what is known of the card. */
import { adviseDocument } from '../../api/advise.ts'
import { adviseCards } from '../../app/advise.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { renderAdvice } from '../../show/text/advise.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export type AdviseOptions = ReadingOptions & { readonly card?: string }

export async function runAdvise(
  _args: readonly string[],
  { from, card, json }: AdviseOptions,
  context: Context,
): Promise<ExitCode> {
  const advice = await adviseCards(context.system, defined({ from, card }))
  if (json === true) printDocument(context, adviseDocument(advice))
  else context.out(renderAdvice(advice, context))
  return exitCode.done
}
