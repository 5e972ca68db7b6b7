/** Steps for files that are ours alone: written whole, and gone again when nothing wants them any more. */
import type { OwnFile } from './own-file.ts'
import type { HostFile } from '../host/host.ts'
import type { Step } from '../steps/step.ts'

/** A step for each file that is not as wanted. */
export function ownFileSteps(wanted: readonly OwnFile[], files: readonly HostFile[], why: string): Step[] {
  return wanted.flatMap(({ path, text, mode, purpose }): Step[] => {
    const old = files.find((file) => file.path === path)
    if (old?.text === text && (old.mode ?? mode) === mode) return []
    const before = old === undefined ? null : { text: old.text, mode: old.mode ?? mode }
    const isFor = purpose === undefined ? {} : { purpose }
    return [{ kind: 'file', path, before, after: { text, mode }, ...isFor, why }]
  })
}

/** A step for each of these that is there; what was set up by it ends. */
export function removeFileSteps(
  unwanted: readonly Pick<OwnFile, 'path'>[],
  files: readonly HostFile[],
  why: string,
): Step[] {
  return unwanted.flatMap(({ path }): Step[] => {
    const old = files.find((file) => file.path === path)
    if (old === undefined) return []
    return [{ kind: 'file', path, before: { text: old.text, mode: old.mode ?? 0o644 }, after: null, why }]
  })
}
