/** Finds and edits entry files (`loader/entries/*.conf`), for every loader that reads them. */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { editStep, filesIn, manual, type BootChange, type Edits } from '../edits.ts'
import { trialEntryName } from '../trial/trial.ts'
import { addEntryArg, readEntry, removeEntryArg, type Entry } from './bls.ts'

export type EntryFile = { readonly path: string; readonly text: string }

/** The Linux entries without that of the trial. */
export function goodEntries<T extends EntryFile>(entries: readonly T[]): T[] {
  return entries.filter(
    ({ path, text }) => !path.endsWith(`/${trialEntryName}`) && readEntry(text).linux !== undefined,
  )
}

export type ReadEntry = HostFile & { readonly entry: Entry }

export function goodEntriesIn(host: Host, folder: string): readonly ReadEntry[] {
  return goodEntries(filesIn(host, folder)).map((file) => ({ ...file, entry: readEntry(file.text) }))
}

export function unreadableEntries(folder: string, change: BootChange): Edits {
  return manual('boot entries that cannot be read', `in ${folder}/*.conf, on the options line: ARGS`, change)
}

export function editEntries(entries: readonly HostFile[], change: BootChange): Step[] {
  return entries.flatMap((file) => editStep(file, changeEntry(file.text, change), change))
}

function changeEntry(text: string, change: BootChange): string {
  let edited = text
  for (const raw of change.remove) edited = removeEntryArg(edited, raw)
  for (const raw of change.add) edited = addEntryArg(edited, raw)
  return edited
}
