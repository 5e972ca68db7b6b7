/** `handover check`: what is different since the last good boot. */
import { bootWords, check, type Checked } from '../../app/check.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { listAll, wrap } from '../../base/text.ts'
import type { Difference } from '../../watch/compare.ts'
import { differenceWords } from '../../watch/words.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

/** Ends with 1 where a VM must not start. */
export async function runCheck(
  _args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const checked = await check(context.system, defined({ from: options.from }))
  if (options.json) {
    const { checkDocument } = await import('../../api/check.ts')
    printDocument(context, checkDocument(checked))
  } else print(checked, context)
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
