/** The plan in force and its spec: what `up`, `down` and `verify` act on. */
import { isDeepStrictEqual } from 'node:util'
import { readJournals, readLastApplied, type JournalRecord } from '../apply/journal.ts'
import { defined } from '../base/defined.ts'
import { AppError, exitCode, UsageError } from '../base/errors.ts'
import { hasErrors } from '../base/finding.ts'
import type { System } from '../machine/system.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import type { Spec } from '../spec/spec.ts'
import { SpecError } from './spec-error.ts'

export type InForce = {
  readonly record: JournalRecord
  /** As it was applied. */
  readonly spec: Spec
  /**
   * The file it came from, where that no longer means the same, and the VMs that it describes in another way
   * or not at all.
   */
  readonly changed?: { readonly file: string; readonly vms: readonly string[] }
}

/**
 * What was applied is what was looked at, so the spec is the one that the journal holds. `file` names a spec
 * that has to mean the same. A journal of a release that kept no text leaves the file it names.
 */
export function readInForce(system: System, file: string | undefined): InForce {
  const record = readLastApplied(system)
  if (!record) throw noneInForce(system)
  const { specText, spec: path } = record
  if (specText === undefined)
    return { record, spec: parse(readFile(system, pathOf(file, record)), pathOf(file, record)) }
  const spec = parse(specText, path ?? 'the spec in the journal')
  if (file !== undefined && !isDeepStrictEqual(parse(readFile(system, file), file), spec))
    throw new AppError(`${file} is not the spec that was applied; nothing was done`, {
      help: `look at it, and apply it: handover plan ${file}; handover apply ${file}`,
    })
  const changed = file === undefined && path !== undefined ? changesIn(system, path, spec) : undefined
  return { record, spec, ...defined({ changed }) }
}

/** Without a text in the journal nothing but the file that it names was looked at. */
function pathOf(file: string | undefined, { spec: path }: JournalRecord): string {
  if (path === undefined)
    throw new UsageError('the journal does not name a spec', 'apply one: handover apply home.yaml')
  if (file === undefined || file === path) return path
  throw new AppError(`${file} is not the spec that was applied (${path}); nothing was done`, {
    help: `look at it, and apply it: handover plan ${file}; handover apply ${file}`,
  })
}

function readFile(system: System, path: string): string {
  const text = system.readText(path)
  if (text.ok) return text.value
  throw new UsageError(
    `${path} cannot be read (${text.code ?? text.reason})`,
    'the plan in force came from a spec',
  )
}

function parse(text: string, path: string): Spec {
  const { spec, findings } = parseSpec(text, path)
  if (!spec || hasErrors(findings)) throw new SpecError(path, findings, text, exitCode.usage)
  return spec
}

function changesIn(system: System, file: string, applied: Spec): InForce['changed'] {
  const text = system.readText(file)
  const now = text.ok ? parseSpec(text.value, file).spec : undefined
  if (isDeepStrictEqual(now, applied)) return undefined
  const vms = applied.vms.filter(
    (vm) =>
      !isDeepStrictEqual(
        now?.vms.find(({ name }) => name === vm.name),
        vm,
      ),
  )
  return { file, vms: vms.map(({ name }) => name) }
}

/** Journals that cannot be read are no proof that nothing is in force: the error says which one. */
function noneInForce(system: System): AppError {
  const damaged = readJournals(system).find((read) => !read.ok)
  if (damaged && !damaged.ok)
    return new AppError(`journal ${damaged.id}: ${damaged.reason}; what is in force is not known`, {
      help: 'see "A damaged journal" in docs/safety.md',
    })
  return new AppError('no plan is in force on this host', {
    help: 'handover plan home.yaml, then handover apply home.yaml',
  })
}
