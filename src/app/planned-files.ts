/** `plan --out`: the files of a plan in a folder, for a person who reads what root will run. */
import { join } from 'node:path'
import { UsageError } from '../base/errors.ts'
import type { WorkFolder } from '../machine/system.ts'
import type { Plan } from '../plan/types.ts'

/**
 * Writes every file that the plan creates or changes, under `folder` at its path on the host and with its
 * mode. Returns the number of files. Throws UsageError where something is at `folder` already.
 */
export function writePlannedFiles(work: WorkFolder, { steps }: Pick<Plan, 'steps'>, folder: string): number {
  if (work.exists(folder))
    throw new UsageError(
      `${folder} is there already, so nothing is written`,
      'name a folder that is not there',
    )
  work.ensureFolder(folder, 0o700)
  const files = steps.flatMap((step) =>
    step.kind === 'file' && step.after !== null ? [{ path: step.path, ...step.after }] : [],
  )
  for (const { path, text, mode } of files) work.putFile(join(folder, path), text, mode)
  return files.length
}
