/** What applying, confirming and taking back have in common: who goes along, and which programs may run. */
import type { Listener } from '../apply/events.ts'
import { AppError } from '../base/errors.ts'
import { formatCommand } from '../boot/shell-quote.ts'
import type { System } from '../machine/system.ts'
import { kindOf, type Step } from '../steps/step.ts'

/** How a caller goes along with a transaction. */
export type Attendance = {
  readonly report?: Listener
  /**
   * Runs the transaction itself. A caller may keep away what would end it half-way; `stop` asks it to end
   * early and to be taken back.
   */
  readonly attend?: <T>(run: () => Promise<T>, stop?: () => void) => Promise<T>
}

export function attended<T>({ attend }: Attendance, run: () => Promise<T>, stop?: () => void): Promise<T> {
  return attend === undefined ? run() : attend(run, stop)
}

/**
 * Programs run on this machine, whatever tree the files are in: update-grub would write this machine's own
 * entries.
 */
export function refuseCommands({ root }: System, steps: readonly Step[]): void {
  const [program] = steps.flatMap((step) =>
    [kindOf(step).program?.(step) ?? []].filter((argv) => argv.length > 0),
  )
  if (program === undefined || root === undefined) return
  throw new AppError(
    `this runs ${formatCommand(program)}, which would run here and not in ${root}; nothing was changed`,
    { help: `run it inside: chroot ${root} handover …; or, for an apply, leave booting alone: --no-boot` },
  )
}
