/** The spec named on the command line: its text, its value, and what is wrong with it. */
import { resolve } from 'node:path'
import { exitCode, UsageError, type ExitCode } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { parseSpec, type ParsedSpec } from '../spec/parse-spec.ts'
import { linuxSystem } from '../system/linux.ts'

export type ReadSpec = ParsedSpec & { readonly file: string; readonly text: string }

/** A spec is a file of the user, so it is read from the real file system even when `--root` names another machine. */
export function readSpec(file: string): ReadSpec {
  const text = linuxSystem().readText(resolve(file), 2 * 1024 * 1024)
  if (!text.ok) {
    const why = {
      absent: 'there is no such file',
      unreadable: 'it may not be read',
      'too-large': 'it is larger than 2 MiB',
      'not-a-file': 'it is not a file',
    }
    const help = text.reason === 'absent' ? 'examples/ has specs to start from' : undefined
    throw new UsageError(`${file}: ${why[text.reason]}`, help)
  }
  return { ...parseSpec(text.value, file), file, text: text.value }
}

/** A text that is no YAML cannot be read (2); one that can be read and says something wrong has error findings (1). */
export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some((finding) => finding.code === 'spec-syntax')) return exitCode.usage
  return findings.some((finding) => finding.severity === 'error') ? exitCode.errorFindings : exitCode.done
}
