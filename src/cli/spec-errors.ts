/** A command that ends at findings: they are printed, with the places in the text, or as its document. */
import { SpecError } from '../app/spec-error.ts'
import type { ExitCode } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import { printDocument, type Context, type ReadingOptions } from './context.ts'

export type Run<O> = (args: readonly string[], options: O, context: Context) => Promise<ExitCode>

type Ended = Pick<ReadingOptions, 'json'> & { readonly sources?: ReadonlyMap<string, string> }

/** Scripts get the findings on standard output, people get them on standard error. */
export async function endAtFindings(
  findings: readonly Finding[],
  context: Context,
  { json, sources = new Map() }: Ended,
): Promise<void> {
  if (json === true) {
    const { findingsDocument } = await import('../api/failure.ts')
    printDocument(context, findingsDocument(findings))
  }
  const { renderFindings } = await import('../show/text/findings.ts')
  const { errStyle, columns } = context
  context.err(renderFindings(findings, errStyle, { sources, columns }))
}

/** Other errors are the caller's to report. */
export async function runToFindings(
  run: () => Promise<ExitCode>,
  context: Context,
  options: Pick<ReadingOptions, 'json'> = {},
): Promise<ExitCode> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    await endAtFindings(error.findings, context, { ...options, sources: error.sources })
    return error.exitCode
  }
}
