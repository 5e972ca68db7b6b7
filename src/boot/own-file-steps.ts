/** Steps that write our own files, and remove those that are no longer needed. */
import type { OwnFile } from './own-file.ts'
import type { HostFile } from '../host/host.ts'
import type { Step } from '../steps/step.ts'

export function ownFileSteps(wanted: readonly OwnFile[], files: readonly HostFile[], why: string): Step[] {
  return wanted.flatMap(({ path, text, mode, purpose }): Step[] => {
    const old = files.find((file) => file.path === path)
    if (old?.text === text && (old.mode ?? mode) === mode) return []
    const before = old === undefined ? null : { text: old.text, mode: old.mode ?? mode }
    const isFor = purpose === undefined ? {} : { purpose }
    return [{ kind: 'file', path, before, after: { text, mode }, ...isFor, why }]
  })
}

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
