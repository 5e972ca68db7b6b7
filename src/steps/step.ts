/**
 * Step: one change of the host as a pair of states, not a verb. Preview, idempotence, drift guard, rollback
 * and the audit log follow from the pair. The table has a line for each kind; the type, the schema and every
 * answer come from it.
 */
import { z } from 'zod'
import type { Reader, System } from '../machine/system.ts'
import { command } from './command.ts'
import { driver } from './driver.ts'
import { file } from './file.ts'
import type { Performing, Standing, StepKind } from './kind.ts'
import { sysfs } from './sysfs.ts'
import { vf } from './vf.ts'

export type { CommandStep } from './command.ts'
export type { DriverState, DriverStep } from './driver.ts'
export type { FileState, FileStep } from './file.ts'
export type { SysfsStep } from './sysfs.ts'

const table = [file, driver, sysfs, vf, command] as const

const [first, ...others] = table
export const stepSchema = z.discriminatedUnion('kind', [first.schema, ...others.map(({ schema }) => schema)])

export type Step = Readonly<z.infer<typeof stepSchema>>

/** Every kind by its name. */
export const kinds: ReadonlyMap<string, StepKind<Step>> = new Map(table.map((kind) => [kind.name, kind]))

/** What the kind of this step answers. */
export function kindOf(step: Step): StepKind<Step> {
  const kind = kinds.get(step.kind)
  if (kind === undefined) throw new TypeError(`no step kind ${step.kind}`)
  return kind
}

/** Where the step's object stands; a step without a state of its own always stands before. */
export function readStanding(reader: Reader, step: Step): Standing {
  return kindOf(step).standing?.(reader, step) ?? { kind: 'before' }
}

/** Whether reading the machine shows that the step is done. */
export function hasState(step: Step): boolean {
  return kindOf(step).standing !== undefined
}

export async function performStep(system: System, step: Step, how: Performing = {}): Promise<void> {
  await kindOf(step).perform(system, step, how)
}

/** What a step is for, where something is decided on it. */
export function purposeOf(step: Step): 'trial' | 'virtual-functions' | undefined {
  return 'purpose' in step ? step.purpose : undefined
}
