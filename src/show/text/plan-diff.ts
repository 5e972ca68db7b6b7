/** Two texts of a file as a unified diff, two lines of context around each change. */
import { printable } from '../../base/printable.ts'
import { structuredPatch } from 'diff'
import type { Styler } from './style.ts'

export function renderDiff(before: string, after: string, style: Styler): string[] {
  const { hunks } = structuredPatch('', '', before, after, undefined, undefined, { context: 2 })
  return hunks.flatMap((hunk) => [
    `      ${style.dim(`@@ line ${hunk.newStart}`)}`,
    // A file may hold anything, also what our own colours begin with.
    ...hunk.lines.map((line) => `    ${paint(printable(line), style)}`),
  ])
}

function paint(line: string, style: Styler): string {
  return line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : style.dim(line)
}
