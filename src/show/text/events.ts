/** Progress of apply and rollback, a line per event. */
import { clean } from '../../base/printable.ts'
import { formatCommand } from '../../boot/shell-quote.ts'
import { settingWords } from '../../pci/virtual-functions.ts'
import { formatStep } from '../../steps/perform.ts'
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
  const what = clean(formatStep(event.step))
  const note = event.note === undefined ? '' : ` (${event.note})`
  switch (event.phase) {
    case 'started':
    case 'undo-started':
      return undefined
    case 'done':
      return `  ${style.green('done')}     ${what}${event.seconds === undefined ? '' : style.dim(` ${event.seconds.toFixed(1)} s`)}`
    case 'failed':
      return `  ${style.red('failed')}   ${what}${note}`
    case 'undone':
      return `  ${style.green('restored')} ${clean(formatBefore(event.step))}${note}`
    case 'undo-failed':
      return `  ${style.red('not restored')} ${clean(formatBefore(event.step))}${note}`
  }
}

/** The state a step's object has before it: what an undo brings back. */
export function formatBefore(step: Extract<ApplyEvent, { kind: 'step' }>['step']): string {
  switch (step.kind) {
    case 'driver':
      return `${step.address}: ${step.before.driver === null ? 'no driver' : `driver ${step.before.driver}`}`
    case 'file':
      return step.before === null ? `${step.path} removed` : step.path
    case 'sysfs':
      return `${step.path}: ${step.before.trim()}`
    case 'vf':
      return `${step.address} vf ${step.number}: ${settingWords(step.before).join(' ')}`
    case 'command':
      return step.outputs.length === 0
        ? `nothing to restore after ${formatCommand(step.argv)}`
        : step.outputs.join(', ')
  }
}

/** Why a transaction did not do what was asked, and what to do about it. */
export function renderCause({ cause, help }: { readonly cause: string; readonly help?: string }): string {
  return `error: ${cause}${help === undefined ? '' : `\n  help: ${help}`}`
}
