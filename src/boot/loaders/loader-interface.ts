/** The Boot Loader Interface (systemd): EFI variables that systemd-boot and the system share. */
import type { Step } from '../../steps/step.ts'
import { entryId } from './bls.ts'

export function loaderVariablePath(name: string): string {
  return `/sys/firmware/efi/efivars/${name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`
}

/** The entry of the next boot alone: the loader removes it before it starts anything (systemd-boot(7)). */
export const oneShotVariable = loaderVariablePath('LoaderEntryOneShot')

/** The choice is taken back by choosing what was chosen before, or nothing. */
export function chooseOnce(before: string | undefined, name: string): Step {
  const isOurs = before !== undefined && entryId(before) === entryId(name)
  return {
    kind: 'command',
    argv: ['bootctl', 'set-oneshot', name],
    outputs: [oneShotVariable],
    once: true,
    purpose: 'trial',
    undo: ['bootctl', 'set-oneshot', isOurs ? '' : (before ?? '')],
    why: 'choose the trial for the next boot only',
  }
}
