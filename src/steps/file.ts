/**
 * Creates, edits or removes one file. The file is read again right before the change: a disk can take seconds
 * between the guard and the write, and an edit that someone saved meanwhile must not be lost. The new text
 * keeps the owner, ACLs and attributes (machine/attributes.ts).
 */
import { createTwoFilesPatch } from 'diff'
import { z } from 'zod'
import { AppError, exitCode } from '../base/errors.ts'
import type { ReadResult, Reader, System } from '../machine/system.ts'
import { ChangedMeanwhile } from './changed-meanwhile.ts'
import { stepKind, type Copies, type Past, type Standing, type Undone } from './kind.ts'
import { absolutePath, mode, text } from './parts.ts'
import { DamagedCopy, findOther, readCopy, restoreFile, sha256 } from './saved.ts'
import type { SavedFile } from './saved-file.ts'
import { unreadable } from './unreadable.ts'

const fileState = z.nullable(z.object({ text, mode })).describe('null: there is no such file')

const schema = z.object({
  kind: z.literal('file'),
  path: absolutePath,
  before: fileState,
  after: fileState,
  purpose: z.exactOptional(z.literal('trial').describe('a trial boot is prepared with it')),
  why: text,
})

export type FileStep = Readonly<z.infer<typeof schema>>

/** `null`: the file does not exist. `text` is the whole file. */
export type FileState = FileStep['before']

const fileLimit = 16 * 1024 * 1024

export const file = stepKind(schema, {
  object: ({ path }) => path,
  words: ({ path, before, after }) =>
    `${before === null ? 'create' : after === null ? 'remove' : 'edit'} ${path}`,
  wordsBefore: ({ path, before }) => (before === null ? `${path} removed` : path),
  planned: ({ path, before, after }) =>
    `${before === null ? 'create' : after === null ? 'remove' : 'change'} ${path}`,
  texts: ({ before, after }) => ({ before: before?.text ?? null, after: after?.text ?? null }),
  standing,
  perform,
  undo,
  files: (_, { path }) => [path],
  refuseLoss,
  changedBeside: findOtherAttributes,
  tidy: (system, { path }) => system.removeLeftovers(path),
})

function standing(reader: Reader, step: FileStep): Standing {
  const now = readFileState(reader, step.path)
  if (!now.ok) return unreadable(step.path, now)
  // Checked first: a step whose states are equal counts as done.
  if (isSame(now.value, step.after)) return { kind: 'after' }
  if (isSame(now.value, step.before)) return { kind: 'before' }
  return { kind: 'drifted', difference: differenceOf(step.path, step.before, now.value) }
}

function readFileState(reader: Reader, path: string): ReadResult<FileState> {
  const stat = reader.stat(path)
  if (!stat.ok) return stat.reason === 'absent' ? { ok: true, value: null } : stat
  const content = reader.readText(path, fileLimit)
  if (!content.ok) return content
  const real = stat.value.kind === 'link' ? reader.realPath(path) : undefined
  const target = real?.ok ? reader.stat(real.value) : stat
  return { ok: true, value: { text: content.value, mode: target.ok ? target.value.mode : stat.value.mode } }
}

function isSame(a: FileState, b: FileState): boolean {
  if (a === null || b === null) return a === b
  return a.text === b.text && a.mode === b.mode
}

/** A unified diff from the expected text to the found one, cut when it is long. */
function differenceOf(path: string, expected: FileState, found: FileState): string {
  if (expected === null) return `${path} exists, and did not exist before`
  if (found === null) return `${path} is gone`
  if (expected.text === found.text)
    return `${path} has mode ${found.mode.toString(8)}, expected ${expected.mode.toString(8)}`
  const patch = createTwoFilesPatch('expected', 'found', expected.text, found.text, '', '', { context: 1 })
  const lines = patch.split('\n')
  const shown = lines.slice(3, 43).join('\n')
  return `${path} was changed by someone else:\n${shown}${lines.length > 43 ? '\n…' : ''}`.trimEnd()
}

/**
 * Where a copy was saved, the file must still have its bytes: files that are not UTF-8 may read as the same
 * text.
 */
function perform(system: System, step: FileStep, { copies }: { readonly copies?: Copies }): void {
  const { path, after } = step
  if (standing(system, step).kind !== 'after') {
    const copy = copies && readCopyOf(system, copies, path)
    const check = () => refuseChanged(system, step, copy)
    if (after === null) {
      check()
      system.remove(path)
    } else {
      system.makeFolder(path.slice(0, path.lastIndexOf('/')) || '/')
      const kept = step.before === null ? {} : { attributesOf: path }
      system.writeFile(path, after.text, { mode: after.mode, check, ...kept })
    }
  }
  const now = standing(system, step)
  if (now.kind === 'after') return
  throw new AppError(
    `${path} is not as written${'difference' in now ? `: ${now.difference}` : ' when read again'}`,
  )
}

/** Undefined for a link: its target has the bytes, and is not saved. */
function readCopyOf(reader: Reader, copies: Copies, path: string): Uint8Array | undefined {
  const saved = copies.saved.find((one) => one.path === path)
  if (saved?.kind !== 'file') return undefined
  const bytes = readCopy(reader, copies, saved)
  if (!bytes.ok) throw new DamagedCopy(`the saved bytes of ${path} cannot be read`)
  return bytes.value
}

function refuseChanged(system: System, step: FileStep, copy: Uint8Array | undefined): void {
  const now = standing(system, step)
  if ('difference' in now) throw new ChangedMeanwhile(now.difference)
  if (now.kind !== 'before') throw new ChangedMeanwhile(`${step.path} is not as before`)
  if (copy === undefined) return
  const bytes = system.readBytes(step.path, copy.length)
  if (!bytes.ok || Buffer.compare(bytes.value, copy) !== 0)
    throw new ChangedMeanwhile(`${step.path} has other bytes than before`)
}

async function undo(system: System, past: Past, step: FileStep): Promise<Undone> {
  const now = standing(system, step)
  if (now.kind === 'drifted') return { restored: false, note: now.difference }
  if (now.kind === 'before') return { restored: true }
  const saved = past.saved.find(({ path }) => path === step.path)
  // The copy is better than the step's text: it also has the owner, and bytes that are not UTF-8.
  const again = () => perform(system, { ...step, before: step.after, after: step.before }, {})
  if (!saved || saved.kind === 'link') {
    again()
    return { restored: true }
  }
  try {
    await restoreFile(system, past.folder, saved, () => refuseEdited(system, step))
  } catch (error) {
    if (!(error instanceof DamagedCopy)) throw error
    again()
    return { restored: true, note: `${error.message}; the text was restored from the record instead` }
  }
  return { restored: true }
}

/** Throws unless the file still has the text that the apply wrote. */
function refuseEdited(system: System, step: FileStep): void {
  const now = standing(system, step)
  if (now.kind === 'after') return
  throw new ChangedMeanwhile('difference' in now ? now.difference : `${step.path} is already as before`)
}

/** Editing a file as UTF-8 would lose a byte order mark, and every byte that is not UTF-8. */
async function refuseLoss({ path, before, after }: FileStep, saved: readonly SavedFile[]): Promise<void> {
  if (before === null || after === null) return
  const copy = saved.find((one) => one.path === path)
  if (copy?.kind !== 'file' || copy.sha256 === (await sha256(before.text))) return
  throw new AppError(
    `${path} is not plain UTF-8 text, and an edit would change more than the plan shows; ` +
      'nothing was changed',
    {
      help: `save it as UTF-8 without a byte order mark (iconv -t UTF-8), or change it by hand`,
      exitCode: exitCode.applyFailedRestored,
    },
  )
}

/**
 * An apply keeps the attributes of a file, so a different value is a later change by someone else. Security
 * labels are not compared: the system renews them itself (restorecon).
 */
function findOtherAttributes(system: System, step: FileStep, copies: Copies, now: Standing): string[] {
  const saved = copies.saved.find(({ path }) => path === step.path)
  const was = now.kind === 'after' && saved?.kind === 'file' ? saved.attributes : undefined
  const is = was === undefined ? undefined : system.readAttributes?.(step.path)
  if (was === undefined || is === undefined) return []
  // The mode is a part of the ACL.
  const isModeKept = step.before?.mode === step.after?.mode
  const other = findOther(was, is).filter(
    (name) => !name.startsWith('security.') && (isModeKept || name !== 'system.posix_acl_access'),
  )
  return other.length === 0 ? [] : [`${step.path}: someone changed ${other.join(', ')} after the apply`]
}
