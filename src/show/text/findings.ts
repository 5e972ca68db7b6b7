/**
 * Findings as text:
 *
 *     error[group-shared]: 0000:01:00.0 shares IOMMU group 14 with 0000:01:00.1
 *       --> home.yaml:7:18
 *       help: give both to the same VM
 */
import { clean } from '../../base/printable.ts'
import { wrap } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import type { Styler } from './style.ts'

export type FindingsLook = {
  /** File name → its text, so that the line and a caret can be shown under a place. */
  readonly sources?: ReadonlyMap<string, string>
  /** Absent: no line is broken. */
  readonly columns?: number
}

export function renderFindings(findings: readonly Finding[], style: Styler, look: FindingsLook = {}): string {
  return findings.map((finding) => renderFinding(finding, style, look)).join('')
}

function renderFinding(finding: Finding, style: Styler, look: FindingsLook): string {
  const { sources = new Map<string, string>(), columns = Number.POSITIVE_INFINITY } = look
  const paint = { error: style.red, warning: style.yellow, note: style.cyan }[finding.severity]
  const [first = '', ...more] = finding.message.split('\n')
  const lines = [
    ...wrap(`${paint(`${finding.severity}[${finding.code}]`)}: ${style.bold(first)}`, columns, 4),
    ...more.flatMap((line) => wrap(`    ${style.bold(line)}`, columns, 4)),
  ]
  if (finding.at) lines.push(...renderPlace(finding.at, style, sources))
  if (finding.help !== undefined) {
    const [help = '', ...rest] = finding.help.split('\n')
    lines.push(...wrap(`  ${style.cyan('help')}: ${help}`, columns, 4), ...rest)
  }
  return `${lines.join('\n')}\n`
}

function renderPlace(
  at: NonNullable<Finding['at']>,
  style: Styler,
  sources: ReadonlyMap<string, string>,
): readonly string[] {
  const lines = [`  ${style.dim('-->')} ${at.file}:${at.line}:${at.column}`]
  const line = sources.get(at.file)?.split('\n')[at.line - 1]
  if (line === undefined) return lines
  // A line may be hostile: long ones are cut around the place.
  const from = Math.max(0, at.column - 60)
  const shown = clean(line.slice(from, from + 110))
  const gutter = String(at.line)
  lines.push(`${gutter.padStart(4)} ${style.dim('|')} ${shown}`)
  const caret = '^'.repeat(Math.max(1, Math.min(at.length ?? 1, shown.length - (at.column - 1 - from))))
  lines.push(`     ${style.dim('|')} ${' '.repeat(at.column - 1 - from)}${style.red(caret)}`)
  return lines
}
