/** `--confirm-within '10 min'`, the same for plan and apply: a plan that waits longer is another plan. */
import { UsageError } from '../errors.ts'
import { parseDuration } from '../spec/units.ts'

/** Whole minutes, since the trial's clock is read from the kernel's uptime by a shell script. */
export function minutesOf(text = '10 min'): number {
  const seconds = parseDuration(text)
  if (seconds === undefined || seconds < 120)
    throw new UsageError(
      `--confirm-within ${text}: that is no time of two minutes or more`,
      "such as: --confirm-within '10 min'",
    )
  return Math.ceil(seconds / 60)
}
