/** Progress of apply and rollback, a line per event. */
import { clean } from '../../base/printable.ts'
import { kindOf } from '../../steps/step.ts'
import type { ApplyEvent } from '../../apply/events.ts'
import type { Styler } from './style.ts'

/** Undefined for events that deserve no line of their own. */
export function renderEvent(event: ApplyEvent, style: Styler): string | undefined {
  switch (event.kind) {
    case 'begun':
      return style.dim(`journal ${event.id}: ${event.steps} ${event.steps === 1 ? 'step' : 'steps'}`)
    case 'undoing':
      return style.yellow(`taking back: ${event.cause}`)
    case 'warning':
      return `${style.yellow('warning')}: ${event.message}`
    case 'step':
      return renderStep(event, style)
  }
}

function renderStep(event: Extract<ApplyEvent, { kind: 'step' }>, style: Styler): string | undefined {
  const kind = kindOf(event.step)
  const what = clean(kind.words(event.step))
  const note = event.note === undefined ? '' : ` (${event.note})`
  switch (event.phase) {
    case 'started':
    case 'undo-started':
      return undefined
    case 'done':
      return (
        `  ${style.green('done')}     ` +
        `${what}${event.seconds === undefined ? '' : style.dim(` ${event.seconds.toFixed(1)} s`)}`
      )
    case 'failed':
      return `  ${style.red('failed')}   ${what}${note}`
    case 'undone':
      return `  ${style.green('restored')} ${clean(kind.wordsBefore(event.step))}${note}`
    case 'undo-failed':
      return `  ${style.red('not restored')} ${clean(kind.wordsBefore(event.step))}${note}`
  }
}

/** Why a transaction did not do what was asked, and what to do about it. */
export function renderCause({ cause, help }: { readonly cause: string; readonly help?: string }): string {
  return `error: ${cause}${help === undefined ? '' : `\n  help: ${help}`}`
}
