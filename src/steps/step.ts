/**
 * A step is one change of the host, described by the state before and the state after. Preview, idempotence,
 * drift guard, rollback and the audit log follow from the two states. The table has a line for each kind; the
 * type and the schema of a step come from it.
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

export const kinds: ReadonlyMap<string, StepKind<Step>> = new Map(table.map((kind) => [kind.name, kind]))

export function kindOf(step: Step): StepKind<Step> {
  const kind = kinds.get(step.kind)
  if (kind === undefined) throw new TypeError(`no step kind ${step.kind}`)
  return kind
}

/** A step without a state of its own is always `before`. */
export function readStanding(reader: Reader, step: Step): Standing {
  return kindOf(step).standing?.(reader, step) ?? { kind: 'before' }
}

/** Whether reading the machine can show that the step is done. */
export function hasState(step: Step): boolean {
  return kindOf(step).standing !== undefined
}

export async function performStep(system: System, step: Step, how: Performing = {}): Promise<void> {
  await kindOf(step).perform(system, step, how)
  await checkpointBoot(system, step)
}

/** Where boot loaders find what they read. */
const bootFolders = ['/boot/', '/efi/']

/** After each step: a power cut between two steps must find a host that boots. */
export async function checkpointBoot(system: System, step: Step): Promise<void> {
  if (system.checkpoint === undefined) return
  const paths = kindOf(step).files?.(system, step) ?? []
  const read = paths.filter((path) => bootFolders.some((folder) => path.startsWith(folder)))
  if (read.length > 0) await system.checkpoint(read)
}

/** The purpose of a step, for code that treats such steps in a special way. */
export function purposeOf(step: Step): 'trial' | 'virtual-functions' | undefined {
  return 'purpose' in step ? step.purpose : undefined
}
