/** The plan in force and its spec: what `up`, `down` and `verify` act on. */
import { readJournals, readLastApplied, type JournalRecord } from '../apply/journal.ts'
import { AppError, exitCode, UsageError } from '../base/errors.ts'
import { hasErrors } from '../base/finding.ts'
import type { System } from '../machine/system.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import type { Spec } from '../spec/spec.ts'
import { SpecError } from './spec-error.ts'

export type InForce = { readonly record: JournalRecord; readonly spec: Spec }

/** `file`: another spec than the one that the journal names. */
export function readInForce(system: System, file: string | undefined): InForce {
  const record = readLastApplied(system)
  if (!record) throw noneInForce(system)
  const path = file ?? record.spec
  if (path === undefined)
    throw new UsageError('the journal does not name a spec', 'name it: --spec home.yaml')
  const text = system.readText(path)
  if (!text.ok)
    throw new UsageError(
      `${path} cannot be read (${text.code ?? text.reason})`,
      'the plan in force came from it; name another with --spec',
    )
  const { spec, findings } = parseSpec(text.value, path)
  if (!spec || hasErrors(findings)) throw new SpecError(path, findings, text.value, exitCode.usage)
  return { record, spec }
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
