/**
 * The interface of a step kind. Each kind is one file and one line in the table of step.ts; the drift guard,
 * apply, undo, the journal and the output for people use that table.
 */
import type { z } from 'zod'
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { Reader, System } from '../machine/system.ts'
import type { SavedFile } from './saved-file.ts'

/** The state of a step's object, compared with the two states of the step. */
export type Standing =
  | { readonly kind: 'before' }
  | { readonly kind: 'after' }
  /** Half-way: the override is written but the driver is not bound, or only some huge pages exist. */
  | { readonly kind: 'between' }
  | { readonly kind: 'gone'; readonly difference: string }
  | { readonly kind: 'drifted'; readonly difference: string }

/** Throws when the host needs this device now. */
export type NeedsCheck = (address: PciAddress) => void

export type Limits = { readonly commandSeconds?: number }

/** The files of a transaction as they were before it. */
export type Copies = {
  /** The folder of the saved bytes, one file for each `blob`. */
  readonly folder: string
  readonly saved: readonly SavedFile[]
}

/** `copies`: a file step changes a file only while it has the bytes that are saved there. */
export type Performing = Limits & { readonly copies?: Copies; readonly mayLeave?: NeedsCheck }

/** By path: SHA-256 of the content, `link:…` for a symbolic link, null when the path does not exist. */
export type Hashes = Readonly<Record<string, string | null>>

/** What an undo knows about the transaction that it takes back. */
export type Past = Copies & {
  /** /proc/sys/kernel/random/boot_id of the boot in which the transaction ran. */
  readonly bootId: string
  /**
   * True for a rollback: other programs may have run since the apply. An image of a new kernel is theirs
   * then, even if the apply was interrupted.
   */
  readonly later: boolean
  /**
   * The tree belongs to another machine (`--root`): programs are named, not run, since they would run on this
   * one.
   */
  readonly elsewhere: boolean
  /** The result of `leaves` when the step was done; undefined when it did not finish. */
  readonly left: Hashes | undefined
}

export type Undone = {
  readonly restored: boolean
  readonly note?: string
  /** To run when everything else is restored; returns what went wrong. */
  readonly atTheEnd?: () => Promise<string | undefined>
}

export type DeviceOfStep = { readonly address: PciAddress; readonly identity: Identity }

export type StepKind<S> = {
  /** The path or the address that the step changes; empty when there is none. */
  object(step: S): string
  /** One line for people: what the step changes. */
  words(step: S): string
  /** One line for people: what an undo restores. */
  wordsBefore(step: S): string
  /** The line of a plan. `isStated` is false where the input does not state the state before. */
  planned(step: S, isStated: boolean): string
  /** The texts before and after; a plan shows their diff. */
  texts?(step: S): { readonly before: string | null; readonly after: string | null }
  /** Absent: the step has no state of its own, and runs again only together with another step. */
  standing?(reader: Reader, step: S): Standing
  /** Throws with the reason when the object does not reach the state after the step. */
  perform(system: System, step: S, how: Performing): Promise<void> | void
  /**
   * Looks at the object first, and changes only what is not as before. What it throws counts as not restored.
   */
  undo(system: System, past: Past, step: S): Promise<Undone> | Undone
  /** The device whose identity is checked before the step. */
  device?(step: S): DeviceOfStep | undefined
  /** The function that the step takes from its driver. */
  takes?(step: S): PciAddress | undefined
  /** The program that the step runs on this machine. */
  program?(step: S): readonly string[]
  /** Files whose bytes are saved before the first change. */
  files?(reader: Reader, step: S): readonly string[]
  /** Throws when the step would lose bytes that the plan does not show. */
  refuseLoss?(step: S, saved: readonly SavedFile[]): Promise<void>
  /** Flushes the outputs of the step to disk, and returns their hashes for the journal. */
  leaves?(system: System, step: S): Promise<Hashes>
  /** Reasons why the step cannot be taken back: a running virtual machine uses the object. */
  inUse?(system: System, step: S, standing: Standing): readonly string[]
  /**
   * Reasons why the step cannot be taken back: someone changed something that `standing` does not compare.
   */
  changedBeside?(system: System, step: S, copies: Copies, standing: Standing): readonly string[]
  /** Removes the temporary files of an interrupted write. */
  tidy?(system: System, step: S): void
}

type KindSchema = z.ZodObject<{ readonly kind: z.ZodLiteral<string>; readonly why: z.ZodString }>

/** The schema is what a journal may contain; the type of the step is derived from it. */
export function stepKind<Schema extends KindSchema>(
  schema: Schema,
  answers: StepKind<Readonly<z.infer<Schema>>>,
) {
  return { ...answers, schema, name: schema.shape.kind.value }
}
