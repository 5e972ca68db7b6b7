/** `handover explain [FILE]`: the known failures in a log, each with its cause, a proof and what helps. */
import { explainLog } from '../../app/explain.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { countText, listText, wrap } from '../../base/text.ts'
import type { Explanation } from '../../explain/explain.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

/** Ends with 0 whatever it finds, and when it finds nothing: both are answers. */
export async function runExplain(
  args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const from = args[0] ?? '-'
  if (from === '-' && process.stdin.isTTY) context.err('paste the lines, then press Ctrl-D')
  const explained = await explainLog(from)
  const { name, lines, explanations } = explained
  if (options.json) {
    const { explainDocument } = await import('../../api/explain.ts')
    printDocument(context, explainDocument(explained))
  } else if (explanations.length === 0)
    context.out(`no failure that is known here in ${countText(lines, 'line')} of ${clean(name)}`)
  else context.out(explanations.map((one) => render(one, clean(name), context)).join('\n'))
  return exitCode.done
}

const knownBy = {
  seen: (source: string) => `known from: ${source}; produced on purpose`,
  source: (source: string) => `known from: ${source}`,
  reported: (source: string) => `reported by: ${source}`,
}

function render(one: Explanation, name: string, { style, columns }: Context): string {
  const paint = { error: style.red, warning: style.yellow, note: style.cyan }[one.severity]
  const head = `${one.severity}[${one.id}]: `
  const [first = '', ...rest] = wrap(`${head}${one.cause}`, columns, 2)
  const times = one.count === 1 ? '' : `, and ${countText(one.count - 1, 'more line')}`
  const part = (word: string, text: string) => {
    const label = `  ${word}: `
    const [begin = '', ...more] = wrap(`${label}${text}`, columns, 6)
    return [`  ${style.cyan(word)}: ${begin.slice(label.length)}`, ...more]
  }
  const lines = [
    `${paint(head.slice(0, -2))}: ${style.bold(first.slice(head.length))}`,
    ...rest.map((line) => style.bold(line)),
    `  ${style.dim('-->')} ${name}:${one.line}${times}`,
    `  ${style.dim('|')} ${one.quote}`,
    ...(one.devices.length === 0 ? [] : part('devices', listText(one.devices, 8))),
    // Not wrapped: a command is there to be pasted.
    `  ${style.cyan('proof')}: ${one.proof}`,
    ...one.remedy.flatMap((step) => part('help', step)),
    ...wrap(`  ${knownBy[one.certainty](one.source)}`, columns, 6).map((line) => style.dim(line)),
  ]
  return `${lines.join('\n')}\n`
}
