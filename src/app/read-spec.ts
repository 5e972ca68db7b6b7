/** The spec that a caller names, and the lock beside it. */
import { defined } from '../base/defined.ts'
import { resolve } from 'node:path'
import { UsageError } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import { linuxSystem } from '../machine/linux.ts'
import type { ReadFailure } from '../machine/system.ts'
import { parseLock, type Lock } from '../spec/lock.ts'
import { parseSpec } from '../spec/parse-spec.ts'
import type { SpecPlaces } from '../spec/places.ts'
import type { Spec } from '../spec/spec.ts'
import { SpecError } from './spec-error.ts'

export type ReadSpec = {
  readonly spec: Spec
  readonly places: SpecPlaces
  readonly file: string
  readonly text: string
  /** `home.lock` beside `home.yaml`; absent until `handover lock` wrote it. */
  readonly lock?: Lock
  readonly lockFile: string
}

const why: Readonly<Record<ReadFailure['reason'], string>> = {
  absent: 'there is no such file',
  unreadable: 'it may not be read',
  'too-large': 'it is larger than 2 MiB',
  'not-a-file': 'it is not a file',
}

/**
 * A spec is a file of the user, so it is read from the real file system even for the host of another tree.
 * Throws SpecError where the spec has errors, or the lock has and `brokenLock` does not say to go on without
 * it.
 */
export function readSpec(
  file: string,
  options: { readonly brokenLock?: 'refuse' | 'ignore' } = {},
): ReadSpec {
  const text = readText(file)
  const { spec, places, findings } = parseSpec(text, file)
  const lockFile = lockFileOf(file)
  const { lock, findings: lockFindings } = readLock(lockFile)
  const isLockBroken = lockFindings.length > 0 && options.brokenLock !== 'ignore'
  if (spec === undefined || isLockBroken)
    throw new SpecError(file, isLockBroken ? [...findings, ...lockFindings] : findings, text)
  return { spec, places, file, text, lockFile, ...defined({ lock }) }
}

function readText(file: string): string {
  const text = linuxSystem().readText(resolve(file), 2 * 1024 * 1024)
  if (text.ok) return text.value
  const isOther = text.reason === 'absent' || text.reason === 'not-a-file'
  const help = isOther ? 'a spec is one YAML file; examples/ has some to start from' : undefined
  throw new UsageError(`${file}: ${why[text.reason]}`, help)
}

/** `home.yaml` → `home.lock`. */
function lockFileOf(file: string): string {
  return `${file.replace(/\.ya?ml$/, '')}.lock`
}

function readLock(file: string): { readonly lock?: Lock; readonly findings: readonly Finding[] } {
  const source = linuxSystem().readText(resolve(file), 8 * 1024 * 1024)
  if (source.ok) return parseLock(source.value, file)
  if (source.reason === 'absent') return { findings: [] }
  const message = `${file} cannot be read`
  const help = `look at its permissions: ls -l ${file}`
  const at = { file, line: 1, column: 1 }
  return { findings: [{ code: 'lock-unreadable', severity: 'error', message, help, at }] }
}
