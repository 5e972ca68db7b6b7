/** Options that decide what is planned, the same for plan and apply: `apply --plan HASH` is held to it. */
import type { PlanChoices } from '../app/plan.ts'
import { UsageError } from '../base/errors.ts'
import { parseDuration } from '../spec/units.ts'

export type PlanningOptions = {
  /** `--no-boot` makes it false. */
  readonly boot?: boolean
  /** `--no-confirm` makes it false. */
  readonly confirm?: boolean
  /** How long a trial boot waits: `10 min`. */
  readonly confirmWithin?: string
}

export function planChoices({ boot, confirm, confirmWithin }: PlanningOptions): PlanChoices {
  const choices = { trial: confirm !== false, boot: boot !== false }
  return confirmWithin === undefined ? choices : { ...choices, trialMinutes: minutesOf(confirmWithin) }
}

/** Whole minutes, since the trial's clock is read from the kernel's uptime by a shell script. */
function minutesOf(text: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined || seconds < 120)
    throw new UsageError(
      `--confirm-within ${text}: that is no time of two minutes or more`,
      "such as: --confirm-within '10 min'",
    )
  return Math.ceil(seconds / 60)
}
