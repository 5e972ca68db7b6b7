/**
 * `handover plan SPEC`: the whole answer, before anything is touched. The plan to standard output, findings
 * to standard error.
 */
import { planDocument, planOfFindings } from '../../api/plan.ts'
import { planSpec, type PlanRequest } from '../../app/plan.ts'
import { exitCodeOf, SpecError } from '../../app/spec-error.ts'
import type { ExitCode } from '../../base/errors.ts'
import { defined } from '../../base/defined.ts'
import { hasErrors } from '../../base/finding.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { renderPlan } from '../../show/text/plan.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { planChoices, type PlanningOptions } from '../planning-options.ts'

export type PlanOptions = ReadingOptions & PlanningOptions

export async function runPlan(
  args: readonly string[],
  options: PlanOptions,
  context: Context,
): Promise<ExitCode> {
  const [spec = ''] = args
  const request = { spec, choices: planChoices(options), ...defined({ from: options.from }) }
  if (options.json) return await printPlan(request, context)
  const { plan, host, source } = await planSpec(context.system, request)
  context.out(renderPlan(plan, { host, spec: source.spec, style: context.style, columns: context.columns }))
  context.err(renderFindings(plan.findings, context.errStyle, new Map([[source.file, source.text]])))
  if (source.lock === undefined && plan.assignments.length > 0 && !hasErrors(plan.findings))
    context.err(
      context.errStyle.dim(`These devices are not locked yet: handover lock ${spec} records who they are.`),
    )
  return exitCodeOf(plan.findings)
}

async function printPlan(request: PlanRequest, context: Context): Promise<ExitCode> {
  const document = await planSpec(context.system, request).then(
    ({ plan }) => planDocument(plan),
    (error: unknown) => {
      if (error instanceof SpecError) return planOfFindings(error.findings)
      throw error
    },
  )
  printDocument(context, document)
  return exitCodeOf(document.findings)
}
