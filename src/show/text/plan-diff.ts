/** Two texts of a file as a unified diff, two lines of context around each change. */
import { structuredPatch } from 'diff'
import type { Styler } from './style.ts'

export function renderDiff(before: string, after: string, style: Styler): string[] {
  const { hunks } = structuredPatch('', '', before, after, undefined, undefined, { context: 2 })
  return hunks.flatMap((hunk) => [
    `      ${style.dim(`@@ line ${hunk.newStart}`)}`,
    // A file may hold anything: control characters would draw on the terminal.
    ...hunk.lines.map((line) => `    ${paint(line.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '?'), style)}`),
  ])
}

function paint(line: string, style: Styler): string {
  return line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : style.dim(line)
}
