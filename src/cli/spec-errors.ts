/** A command that ends at a spec with errors: the findings are printed, with the places in the text. */
import { SpecError } from '../app/spec-error.ts'
import type { ExitCode } from '../base/errors.ts'
import { printDocument, type Context, type ReadingOptions } from './context.ts'

export type Run<O> = (args: readonly string[], options: O, context: Context) => Promise<ExitCode>

/** Other errors are the caller's to report. */
export async function runToFindings(
  run: () => Promise<ExitCode>,
  context: Context,
  { json }: Pick<ReadingOptions, 'json'> = {},
): Promise<ExitCode> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    const { renderFindings } = await import('../show/text/findings.ts')
    if (json === true) {
      const { failureDocument } = await import('../api/failure.ts')
      printDocument(context, failureDocument(error))
    }
    const { errStyle, columns } = context
    context.err(renderFindings(error.findings, errStyle, { sources: error.sources, columns }))
    return error.exitCode
  }
}
