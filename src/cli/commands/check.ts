/** `handover check`: what is different since the last good boot, or would be with another kernel. */
import { bootWords, check, type Checked, type Predicted } from '../../app/check.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { listAll, wrap } from '../../base/text.ts'
import type { Difference } from '../../watch/compare.ts'
import { differenceWords, predictionWords } from '../../watch/words.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

/** Ends with 1 where a VM must not start. */
export async function runCheck(
  _args: readonly string[],
  options: ReadingOptions & { readonly kernel?: string },
  context: Context,
): Promise<ExitCode> {
  const { from, kernel } = options
  const checked = await check(context.system, defined({ from, kernel }))
  if (options.json) {
    const { checkDocument } = await import('../../api/check.ts')
    printDocument(context, checkDocument(checked))
  } else if (checked.prediction !== undefined) printPrediction(checked.prediction, checked, context)
  else print(checked, context)
  const isSafe = checked.differences.every(({ unsafeFor }) => unsafeFor.length === 0)
  return isSafe ? exitCode.done : exitCode.errorFindings
}

function print({ good, differences }: Checked, context: Context): void {
  const { out, style } = context
  if (good.kind !== 'known')
    return out('no boot is known to be good yet: the first VM that starts makes it so')
  const of = `the last good boot (${clean(bootWords(good.record))})`
  if (differences.length === 0) return out(`nothing is different since ${of}`)
  out(style.bold(`different since ${of}:`))
  for (const line of differenceLines(differences, context)) out(line)
}

function printPrediction(predicted: Predicted, { differences }: Checked, context: Context): void {
  const { out, style, columns } = context
  const { release, running = 'of an unknown release', predictions, limits } = predicted
  out(
    style.bold(
      `Linux ${clean(release)} instead of ${clean(running)}, as far as its quirks for devices are known:`,
    ),
  )
  for (const one of predictions) {
    const sure = one.confidence === 'high' ? 'sure' : 'not sure'
    for (const line of wrap(`  • ${clean(predictionWords(one))} (${sure})`, columns, 4)) out(line)
    for (const line of wrap(`    ${clean(one.why)}; ${one.source}`, columns, 4)) out(style.dim(line))
  }
  if (predictions.length === 0) out('  no such quirk of a device here differs between them')
  for (const limit of limits) for (const line of wrap(`  ${limit}`, columns, 4)) out(style.yellow(line))
  const unsafe = differences.filter(({ unsafeFor }) => unsafeFor.length > 0)
  if (unsafe.length === 0) return
  out(style.bold('so these VMs would stay down:'))
  for (const line of differenceLines(unsafe, context)) out(line)
}

/** What keeps a VM down comes first. */
export function differenceLines(differences: readonly Difference[], { style, columns }: Context): string[] {
  const isUnsafe = ({ unsafeFor }: Difference) => unsafeFor.length > 0
  const ordered = [...differences.filter(isUnsafe), ...differences.filter((one) => !isUnsafe(one))]
  return ordered.flatMap((one) => {
    const down = isUnsafe(one) ? `; ${listAll(one.unsafeFor)} must not start` : ''
    const lines = wrap(`  ${isUnsafe(one) ? '✗' : '•'} ${clean(differenceWords(one) + down)}`, columns, 4)
    return isUnsafe(one) ? lines.map(style.red) : lines
  })
}
