/**
 * What a generator wrote, and what to do about it when its run is taken back: put the saved bytes back where the output is
 * still what our run left; where somebody ran the generator again since (a kernel update), saved bytes would be stale,
 * so it is run once more after everything it reads is restored.
 * An output may be a pattern in its last part, `/boot/initrd.img-*`: images of kernels that come later match, too.
 */
import type { Step } from '../plan/step.ts'
import type { Reader } from '../system/system.ts'
import { isSameEnvironment } from '../boot/grub-environment.ts'
import { journalFolder, type Journal, type SavedFile } from './journal.ts'
import { hashOutputs, isAsSaved } from './saved.ts'

type CommandStep = Extract<Step, { kind: 'command' }>

/** Patterns become the paths that match now; plain paths stay, present or not. */
export function expandOutputs(reader: Reader, outputs: readonly string[]): string[] {
  const paths = new Set<string>()
  for (const output of outputs) {
    const cut = output.lastIndexOf('/')
    const [folder, name] = [output.slice(0, cut) || '/', output.slice(cut + 1)]
    if (!name.includes('*')) {
      paths.add(output)
      continue
    }
    const names = reader.list(folder)
    for (const one of names.ok ? names.value : []) if (matches(name, one)) paths.add(`${output.slice(0, cut)}/${one}`)
  }
  return [...paths]
}

function isCovered(outputs: readonly string[], path: string): boolean {
  const split = (text: string) => [text.slice(0, text.lastIndexOf('/')), text.slice(text.lastIndexOf('/') + 1)] as const
  const [folder, name] = split(path)
  return outputs.map(split).some(([above, pattern]) => above === folder && matches(pattern, name))
}

function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === pattern
  if (!name.startsWith(head)) return false
  let at = head.length
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1
    const found = isLast ? name.length - part.length : name.indexOf(part, at)
    if (found < at || !name.startsWith(part, found)) return false
    at = found + part.length
  }
  return true
}

export type OutputsJudgement = {
  /** To be put back byte for byte; empty when all are as before. */
  readonly restore: readonly SavedFile[]
  /** Written again by someone since: the generator has to run once more instead. */
  readonly stale: readonly string[]
}

export async function judgeOutputs(
  reader: Reader,
  journal: Pick<Journal, 'record' | 'events'>,
  step: CommandStep,
): Promise<OutputsJudgement> {
  const left = leftBy(journal, step)
  const saved = journal.record.saved.filter((file) => file.kind !== 'no-folder' && isCovered(step.outputs, file.path))
  const known = new Set(saved.map(({ path }) => path))
  const now = [...Object.keys(left ?? {}), ...expandOutputs(reader, step.outputs)]
  const created = [...new Set(now)].filter((path) => !known.has(path))
  const restore: SavedFile[] = []
  const stale: string[] = []
  for (const file of [...saved, ...created.map((path): SavedFile => ({ path, kind: 'absent' }))]) {
    if (await isAsSaved(reader, file)) continue
    if (left === undefined || (await hashOutputs(reader, [file.path]))[file.path] === left[file.path])
      restore.push(file)
    else stale.push(file.path)
  }
  if (step.once) {
    // Somebody went on from the state we set: it is theirs now. GRUB only forgets the choice it was given, and says no more by it.
    const forgotten = saved.filter((file) => stale.includes(file.path) && isOneShotUsedUp(reader, journal, file))
    return { restore: [...restore, ...forgotten], stale: [] }
  }
  return stale.length > 0 ? { restore: [], stale } : { restore, stale }
}

function isOneShotUsedUp(reader: Reader, { record }: Pick<Journal, 'record'>, file: SavedFile): boolean {
  if (file.kind !== 'file' || !file.path.endsWith('/grubenv')) return false
  const now = reader.readText(file.path, 65_536)
  const before = reader.readText(`${journalFolder}/${record.id}/saved/${file.blob}`, 65_536)
  return now.ok && before.ok && isSameEnvironment(now.value, before.value)
}

/** Hashes our run left behind; undefined when it did not finish, and whatever lies there now is torn. */
function leftBy({ record, events }: Pick<Journal, 'record' | 'events'>, step: CommandStep) {
  const index = record.steps.indexOf(step)
  const done = events.findLast(
    (event) => event.event === 'step' && event.index === index && event.outputs !== undefined,
  )
  return done?.event === 'step' ? done.outputs : undefined
}
