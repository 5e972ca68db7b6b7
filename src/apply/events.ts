/** The events that apply and rollback report while they work. A listener cannot change the transaction. */
import type { Step } from '../steps/step.ts'
import type { StepPhase } from './journal.ts'

export type ApplyEvent =
  | { readonly kind: 'begun'; readonly id: string; readonly steps: number }
  | {
      readonly kind: 'step'
      readonly index: number
      readonly step: Step
      readonly phase: StepPhase
      readonly note?: string
      readonly seconds?: number
    }
  | { readonly kind: 'undoing'; readonly cause: string }
  | { readonly kind: 'warning'; readonly message: string }

export type Listener = (event: ApplyEvent) => void

/** Ignores errors of the listener: a closed terminal must not stop a transaction half-way. */
export function deaf(listener: Listener): Listener {
  return (event) => {
    try {
      listener(event)
    } catch {
      // Only a line on the screen is lost; the journal has the event.
    }
  }
}
