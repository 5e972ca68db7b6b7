/** The spec named on the command line: its text, its value, and what is wrong with it. */
import { resolve } from 'node:path'
import { exitCode, UsageError, type ExitCode } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import { parseLock, type Lock } from '../spec/lock.ts'
import { parseSpec, type ParsedSpec } from '../spec/parse-spec.ts'
import { linuxSystem } from '../machine/linux.ts'

export type ReadSpec = ParsedSpec & {
  readonly file: string
  readonly text: string
  /** `home.lock` beside `home.yaml`; absent until `handover lock` wrote it. */
  readonly lock?: Lock
  readonly lockFile: string
}

/** A spec is a file of the user, so it is read from the real file system even when `--root` names another machine. */
export function readSpec(file: string, options: { readonly brokenLock?: 'refuse' | 'ignore' } = {}): ReadSpec {
  const text = linuxSystem().readText(resolve(file), 2 * 1024 * 1024)
  if (!text.ok) {
    const why = {
      absent: 'there is no such file',
      unreadable: 'it may not be read',
      'too-large': 'it is larger than 2 MiB',
      'not-a-file': 'it is not a file',
    }
    const isOther = text.reason === 'absent' || text.reason === 'not-a-file'
    const help = isOther ? 'a spec is one YAML file; examples/ has some to start from' : undefined
    throw new UsageError(`${file}: ${why[text.reason]}`, help)
  }
  const parsed = parseSpec(text.value, file)
  const lockFile = lockFileOf(file)
  const source = linuxSystem().readText(resolve(lockFile), 8 * 1024 * 1024)
  const base = { ...parsed, file, text: text.value, lockFile }
  if (!source.ok && source.reason === 'absent') return base
  const { lock, findings } = source.ok ? parseLock(source.value, lockFile) : unreadableLock(lockFile)
  if (lock) return { ...base, lock }
  return options.brokenLock === 'ignore'
    ? base
    : { findings: [...parsed.findings, ...findings], places: parsed.places, file, text: text.value, lockFile }
}

/** `home.yaml` → `home.lock`. */
function lockFileOf(file: string): string {
  return `${file.replace(/\.ya?ml$/, '')}.lock`
}

function unreadableLock(file: string): { lock?: Lock; findings: readonly Finding[] } {
  return {
    findings: [
      {
        code: 'lock-unreadable',
        severity: 'error',
        message: `${file} cannot be read`,
        help: `look at its permissions: ls -l ${file}`,
        at: { file, line: 1, column: 1 },
      },
    ],
  }
}

/** A text that is no YAML cannot be read (2); one that can be read and says something wrong has error findings (1). */
export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some((finding) => finding.code === 'spec-syntax' || finding.code === 'lock-unreadable'))
    return exitCode.usage
  return findings.some((finding) => finding.severity === 'error') ? exitCode.errorFindings : exitCode.done
}
