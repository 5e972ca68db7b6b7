/**
 * Makes the entry of the system's journal for a journal event (`journalctl -t handover -o verbose`). Pure.
 */
import { defined } from '../base/defined.ts'
import type { LogEntry } from '../machine/system.ts'
import { kindOf, type Step } from '../steps/step.ts'
import type { EventWithoutTime, JournalRecord } from './record.ts'

/** Our fields have a prefix, since journald uses names without one itself. */
export function logEntry(record: Pick<JournalRecord, 'id' | 'steps'>, event: EventWithoutTime): LogEntry {
  const fields = { HANDOVER_TRANSACTION: record.id, HANDOVER_EVENT: event.event }
  switch (event.event) {
    case 'rollback':
      return { severity: 'notice', message: `${record.id}: rollback: ${event.cause}`, fields }
    case 'end': {
      const isGood = event.outcome === 'applied' || event.outcome === 'rolled-back'
      const note = event.note === undefined ? '' : `: ${event.note}`
      return {
        severity: isGood ? 'notice' : 'error',
        message: `${record.id}: ${event.outcome}${note}`,
        fields: { ...fields, HANDOVER_OUTCOME: event.outcome },
      }
    }
    case 'step': {
      const step = record.steps[event.index]
      const words = step === undefined ? '' : `: ${kindOf(step).words(step)}`
      const note = event.note === undefined ? '' : ` (${event.note})`
      return {
        severity: event.phase === 'failed' || event.phase === 'undo-failed' ? 'error' : 'notice',
        message: `${record.id}: step ${event.index} ${event.phase}${words}${note}`,
        fields: {
          ...{ ...fields, HANDOVER_STEP: String(event.index), HANDOVER_PHASE: event.phase },
          ...(step === undefined ? {} : stepFields(step)),
        },
      }
    }
  }
}

function stepFields(step: Step): LogEntry['fields'] {
  const kind = kindOf(step)
  const device = kind.device?.(step)?.address
  return {
    HANDOVER_KIND: step.kind,
    ...defined({
      HANDOVER_DEVICE: device,
      HANDOVER_PATH: 'path' in step ? step.path : undefined,
      HANDOVER_COMMAND: kind.program?.(step).join(' '),
    }),
  }
}
