/**
 * What apply and rollback say while they work. A listener only listens: one that throws, or is gone, changes
 * nothing about the transaction.
 */
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

/** A consumer that fails (a closed terminal) must not stop a transaction half-way. */
export function deaf(listener: Listener): Listener {
  return (event) => {
    try {
      listener(event)
    } catch {
      // What is lost is a line on somebody's screen; the journal has it.
    }
  }
}
