/**
 * `handover plan SPEC`: the whole answer, before anything is touched. The plan to standard output, findings
 * to standard error.
 */
import { planDocument, planOfFindings } from '../../api/plan.ts'
import { writePlannedFiles } from '../../app/planned-files.ts'
import { planSpec, type PlanRequest } from '../../app/plan.ts'
import { exitCodeOf, SpecError } from '../../app/spec-error.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { defined } from '../../base/defined.ts'
import { hasErrors } from '../../base/finding.ts'
import type { Plan } from '../../plan/types.ts'
import { formatCommand } from '../../boot/shell-quote.ts'
import { renderFindings } from '../../show/text/findings.ts'
import { renderPlan } from '../../show/text/plan.ts'
import { printNext, type NextCommand } from '../next.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { planChoices, type PlanningOptions } from '../planning-options.ts'

export type PlanOptions = ReadingOptions &
  PlanningOptions & { readonly check?: boolean; readonly full?: boolean; readonly out?: string }

export async function runPlan(
  args: readonly string[],
  options: PlanOptions,
  context: Context,
): Promise<ExitCode> {
  const [spec = ''] = args
  const request = { spec, choices: planChoices(options), ...defined({ from: options.from }) }
  return await (options.json ? printPlan : showPlan)(request, options, context)
}

async function showPlan(request: PlanRequest, options: PlanOptions, context: Context): Promise<ExitCode> {
  const { plan, host, source } = await planSpec(context.system, request)
  const { style, columns, errStyle } = context
  context.out(renderPlan(plan, { host, spec: source.spec, style, columns, full: options.full === true }))
  context.err(
    renderFindings(plan.findings, errStyle, { sources: new Map([[source.file, source.text]]), columns }),
  )
  printNext(context, nextOf(plan, { spec: request.spec, isLocked: source.lock !== undefined }))
  if (options.out !== undefined) {
    const count = writePlannedFiles(context.system.work, plan, options.out)
    context.err(`${options.out}: ${count} ${count === 1 ? 'file' : 'files'}, as apply would write them`)
  }
  return codeOf(plan, options)
}

function nextOf(
  plan: Plan,
  { spec, isLocked }: { readonly spec: string; readonly isLocked: boolean },
): readonly NextCommand[] {
  if (hasErrors(plan.findings) || plan.conditional === true) return []
  const file = formatCommand([spec])
  const lock = { command: `handover lock ${file}`, why: 'records which devices these are' }
  const isOpen = !isLocked && plan.assignments.length > 0
  const apply = { command: `sudo handover apply ${file}`, why: 'shows this again, asks, and does it' }
  const up = { command: 'sudo handover up', why: 'starts the VMs' }
  return [...(isOpen ? [lock] : []), ...(plan.steps.length > 0 ? [apply] : plan.needsReboot ? [] : [up])]
}

/** With `--check`, changes are a result of their own; what is wrong with the host counts more. */
function codeOf(
  { findings, steps }: { findings: Parameters<typeof exitCodeOf>[0]; steps: readonly unknown[] },
  { check }: PlanOptions,
): ExitCode {
  const code = exitCodeOf(findings)
  return check === true && code === exitCode.done && steps.length > 0 ? exitCode.changes : code
}

async function printPlan(request: PlanRequest, options: PlanOptions, context: Context): Promise<ExitCode> {
  const document = await planSpec(context.system, request).then(
    ({ plan }) => {
      if (options.out !== undefined) writePlannedFiles(context.system.work, plan, options.out)
      return planDocument(plan)
    },
    (error: unknown) => {
      if (error instanceof SpecError) return planOfFindings(error.findings)
      throw error
    },
  )
  printDocument(context, document)
  return codeOf(document, options)
}
