/**
 * What one kind of step answers. A kind is one file that exports one of these, and one line in the table of
 * step.ts: everything else (the drift guard, apply, undo, the journal, what people read) asks the table.
 */
import type { z } from 'zod'
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { Reader, System } from '../machine/system.ts'
import type { SavedFile } from './saved-file.ts'

/** Where the object of a step stands now. */
export type Standing =
  | { readonly kind: 'before' }
  | { readonly kind: 'after' }
  /** Half-way: the override is written and the new driver is not there yet; a part of the huge pages. */
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

/** `copies`: what a file step finds must be the bytes saved there. */
export type Performing = Limits & { readonly copies?: Copies; readonly mayLeave?: NeedsCheck }

/** SHA-256 of each path, `link:…` for a symbolic link, null where nothing is. */
export type Hashes = Readonly<Record<string, string | null>>

/** What an undo knows of the transaction that it takes back. */
export type Past = Copies & {
  /** /proc/sys/kernel/random/boot_id of the boot it ran in. */
  readonly bootId: string
  /**
   * Other programs may have run since (a rollback): a new kernel's image is theirs, even where the run was
   * cut off.
   */
  readonly later: boolean
  /**
   * The tree belongs to another machine (`--root`), and programs would run on this one: they are named
   * instead.
   */
  readonly elsewhere: boolean
  /** What the step left behind when it was done (`leaves`); undefined when it did not finish. */
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
  /** The one thing the step is about: a path, an address; empty where there is none. */
  object(step: S): string
  /** One line for people: what the step does to which thing. */
  words(step: S): string
  /** One line for people: what an undo brings back. */
  wordsBefore(step: S): string
  /** The line of a plan. `isStated` is false where the input does not state the state before. */
  planned(step: S, isStated: boolean): string
  /** Whole texts before and after, which a plan shows as a diff. */
  texts?(step: S): { readonly before: string | null; readonly after: string | null }
  /** Absent: the step has no state of its own, and is done again only when another step is. */
  standing?(reader: Reader, step: S): Standing
  /** Throws with the reason when the state after it is not reached. */
  perform(system: System, step: S, how: Performing): Promise<void> | void
  /**
   * Takes the step back by looking where its object stands. Whatever it throws is a thing that is not
   * restored.
   */
  undo(system: System, past: Past, step: S): Promise<Undone> | Undone
  /** The device whose identity decides whether the step may be done. */
  device?(step: S): DeviceOfStep | undefined
  /** The function that the step takes from its driver. */
  takes?(step: S): PciAddress | undefined
  /** A program it runs on this machine. */
  program?(step: S): readonly string[]
  /** Files whose bytes are saved before the first change. */
  files?(reader: Reader, step: S): readonly string[]
  /** Throws when performing it would lose bytes that no plan named. */
  refuseLoss?(step: S, saved: readonly SavedFile[]): Promise<void>
  /** What it left behind, for the journal; made durable. */
  leaves?(system: System, step: S): Promise<Hashes>
  /** Reasons why it cannot be taken back: a running virtual machine uses it. */
  inUse?(system: System, step: S, standing: Standing): readonly string[]
  /** Reasons why it cannot be taken back: somebody changed something that its standing does not show. */
  changedBeside?(system: System, step: S, copies: Copies, standing: Standing): readonly string[]
  /** Removes what a write that was cut off left. */
  tidy?(system: System, step: S): void
}

type KindSchema = z.ZodObject<{ readonly kind: z.ZodLiteral<string>; readonly why: z.ZodString }>

/** The schema is what a journal may hold, and the type of the step is derived from it. */
export function stepKind<Schema extends KindSchema>(
  schema: Schema,
  answers: StepKind<Readonly<z.infer<Schema>>>,
) {
  return { ...answers, schema, name: schema.shape.kind.value }
}
