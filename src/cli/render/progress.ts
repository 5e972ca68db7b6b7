/**
 * An apply or rollback on the screen as it happens: a line for each step, and for one that takes long (a
 * generator makes an initramfs) the seconds it has run so far. On a terminal they count in place; elsewhere a
 * line every half minute says so.
 */
import { clean } from '../../base/printable.ts'
import type { ApplyEvent } from '../../apply/events.ts'
import { kindOf } from '../../steps/step.ts'
import type { Context } from '../context.ts'
import { printInPlace, standardError } from '../standard-streams.ts'
import { renderEvent } from '../../show/text/events.ts'

const quietSeconds = 30

export type Progress = { readonly report: (event: ApplyEvent) => void; readonly end: () => void }

export function transactionProgress(context: Pick<Context, 'err' | 'errStyle'>): Progress {
  const live = standardError().isTTY
  let timer: NodeJS.Timeout | undefined
  const clear = () => {
    clearInterval(timer)
    timer = undefined
    if (live) printInPlace('')
  }
  const count = (what: string) => {
    const begun = Date.now()
    const tick = () => {
      const line = `  running  ${what} ${((Date.now() - begun) / 1000).toFixed(0)} s`
      if (live) printInPlace(context.errStyle.dim(line.slice(0, (standardError().columns || 80) - 1)))
      else context.err(line)
    }
    timer = setInterval(tick, live ? 500 : quietSeconds * 1000)
    // A transaction ends by itself; its clock does not keep the process alive.
    timer.unref()
  }
  const report = (event: ApplyEvent) => {
    clear()
    const line = renderEvent(event, context.errStyle)
    if (line !== undefined) context.err(line)
    if (event.kind === 'step' && event.phase === 'started') count(clean(kindOf(event.step).words(event.step)))
  }
  return { report, end: clear }
}
