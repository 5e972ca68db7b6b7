/** `handover plan SPEC`: the whole answer, before anything is touched. The plan to standard output, findings to standard error. */
import type { ExitCode } from '../../base/errors.ts'
import { hasErrors } from '../../base/finding.ts'
import { plan } from '../../plan/plan.ts'
import { emptyPlan, type Plan } from '../../plan/types.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { exitCodeOf, readSpec } from '../read-spec.ts'
import { readPlanningHost } from '../planning-host.ts'
import { planInput, type PlanningOptions } from '../planning-options.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { renderPlan } from '../../show/text/plan.ts'

export type PlanOptions = ReadingOptions & PlanningOptions

export async function runPlan(args: readonly string[], options: PlanOptions, context: Context): Promise<ExitCode> {
  const read = readSpec(args[0] ?? '')
  const { spec, findings, file, text, lock } = read
  const sources = new Map([[file, text]])
  if (spec === undefined) {
    if (options.json) context.out(planDocument({ ...emptyPlan, findings }))
    else context.err(renderFindings(findings, context.errStyle, sources))
    return exitCodeOf(findings)
  }
  const input = planInput(options, read)
  const host = await readPlanningHost(options, context, read)
  const planned = plan(host, spec, input)
  if (options.json) context.out(planDocument(planned))
  else {
    context.out(renderPlan(planned, { host, spec, style: context.style, columns: context.columns }))
    context.err(renderFindings(planned.findings, context.errStyle, sources))
    if (lock === undefined && planned.assignments.length > 0 && !hasErrors(planned.findings))
      context.err(context.errStyle.dim(`These devices are not locked yet: handover lock ${file} records who they are.`))
  }
  return exitCodeOf(planned.findings)
}

/** `plan --json`: the plan as it is, under a version. */
function planDocument(planned: Plan): string {
  return JSON.stringify({ schema: 1, ...planned }, undefined, 2)
}
