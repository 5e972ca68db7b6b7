/** The Boot Loader Interface of systemd: EFI variables that the loader and the system share. */
import type { Step } from '../../steps/step.ts'
import { entryId } from './bls.ts'

export function loaderVariablePath(name: string): string {
  return `/sys/firmware/efi/efivars/${name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`
}

/**
 * The entry of the next boot only: the loader deletes the variable before it starts the entry
 * (systemd-boot(7)).
 */
export const oneShotVariable = loaderVariablePath('LoaderEntryOneShot')

/** An undo selects the entry that was selected before, or none. */
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
