/**
 * Step: one change of the host as a pair of states, not a verb. Preview, idempotence, drift guard, rollback and the
 * audit log follow from the pair. Only apply/perform.ts turns a step into a change.
 */
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { VirtualFunctionSettings } from '../pci/virtual-functions.ts'

/** `null` means: does not exist. Text is the whole file. */
export type FileState = { readonly text: string; readonly mode: number } | null

export type DriverState = { readonly driver: string | null; readonly driverOverride: string | null }

export type Step =
  | {
      readonly kind: 'file'
      readonly path: string
      readonly before: FileState
      readonly after: FileState
      readonly why: string
    }
  | {
      readonly kind: 'driver'
      readonly address: PciAddress
      /** Checked again right before binding: another device at this address binds nothing. */
      readonly identity: Identity
      readonly before: DriverState
      readonly after: DriverState
      readonly why: string
    }
  | {
      readonly kind: 'sysfs'
      readonly path: string
      readonly before: string
      readonly after: string
      /** An attribute of this device: another one at its address is never written to. */
      readonly of?: { readonly address: PciAddress; readonly identity: Identity }
      /** A number of which the kernel may give less than asked (nr_hugepages): what lies between counts as half-way. */
      readonly partial?: true
      readonly why: string
    }
  | {
      /** Settings of one virtual function, held by its card's driver; only what is named is compared and changed. */
      readonly kind: 'vf'
      /** The card: the physical function. */
      readonly address: PciAddress
      readonly identity: Identity
      readonly number: number
      readonly before: VirtualFunctionSettings
      readonly after: VirtualFunctionSettings
      readonly why: string
    }
  | {
      readonly kind: 'command'
      readonly argv: readonly string[]
      /** Files it may write or create, patterns (`*` in the last part) allowed; their bytes are journaled before it runs and put back on rollback. */
      readonly outputs: readonly string[]
      /** It sets a state instead of deriving files (grub-reboot): a rollback never runs it again. */
      readonly once?: true
      /**
       * Takes it back where saved bytes cannot: EFI variables (what it did is read again), outputs that somebody wrote again
       * since, and no outputs at all, when they are out of reach: then it runs after everything else is restored.
       */
      readonly undo?: readonly string[]
      readonly why: string
    }

/** Makes a card's virtual functions, or takes them all away: the kernel changes their number only over none. */
export function setsFunctionCount(step: Step): boolean {
  return step.kind === 'sysfs' && step.path.endsWith('/sriov_numvfs')
}
