/**
 * A spec, or the lock beside it, that cannot be followed: what is wrong with it, and the texts to show the
 * places in.
 */
import { AppError, exitCode, type ExitCode } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'

export class SpecError extends AppError {
  readonly findings: readonly Finding[]
  /** File name → its text. */
  readonly sources: ReadonlyMap<string, string>
  constructor(
    file: string,
    findings: readonly Finding[],
    text: string,
    code: ExitCode = exitCodeOf(findings),
  ) {
    super(`${file} has errors`, { exitCode: code })
    this.findings = findings
    this.sources = new Map([[file, text]])
  }
}

/**
 * A text that is no YAML cannot be read (2); one that can be read and says something wrong has error findings
 * (1).
 */
export function exitCodeOf(
  findings: readonly { readonly code: string; readonly severity: string }[],
): ExitCode {
  if (findings.some((finding) => finding.code === 'spec-syntax' || finding.code === 'lock-unreadable'))
    return exitCode.usage
  return findings.some((finding) => finding.severity === 'error') ? exitCode.errorFindings : exitCode.done
}
