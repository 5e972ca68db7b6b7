/**
 * Writes one file of a plan, or removes it, after a last look: a disk can take seconds for what lies between the guard and the
 * write, and a text that somebody saved meanwhile is theirs. What the file has beside its bytes goes along (system/attributes.ts).
 */
import { AppError } from '../base/errors.ts'
import type { Step } from './step.ts'
import type { System } from '../machine/system.ts'
import { readStanding } from './read-state.ts'

type FileStep = Extract<Step, { kind: 'file' }>

/** Somebody else changed the object of a step before the step did: it is left as it is. */
export class ChangedMeanwhile extends AppError {
  constructor(difference: string) {
    super(`${difference}\nthis came while it was under way, and is left as it is`, {
      help: 'look at it, then plan again: handover plan',
    })
  }
}

/** `copy`: the bytes the file had when it was saved. They must still be there, not only a text that reads the same. */
export function performFile(system: System, step: FileStep, copy?: Uint8Array): void {
  const { path, after } = step
  if (readStanding(system, step).kind === 'after') return
  const check = () => refuseChanged(system, step, copy)
  if (after === null) {
    check()
    system.remove(path)
    return
  }
  system.makeFolder(path.slice(0, path.lastIndexOf('/')) || '/')
  const kept = step.before === null ? {} : { attributesOf: path }
  system.writeFile(path, after.text, { mode: after.mode, check, ...kept })
}

function refuseChanged(system: System, step: FileStep, copy: Uint8Array | undefined): void {
  const standing = readStanding(system, step)
  if ('difference' in standing) throw new ChangedMeanwhile(standing.difference)
  if (standing.kind !== 'before') throw new ChangedMeanwhile(`${step.path} is not as it was`)
  if (copy === undefined) return
  const bytes = system.readBytes(step.path, copy.length)
  if (!bytes.ok || Buffer.compare(bytes.value, copy) !== 0)
    throw new ChangedMeanwhile(`${step.path} has other bytes than it had`)
}
