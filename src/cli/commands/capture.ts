/**
 * `handover capture [-o FILE]`: the host as one redacted file that every reading command takes with --from.
 */
import { capture } from '../../app/capture.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import type { Captured } from '../../sources/capture/capture.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { version } from '../version.ts'

export type CaptureOptions = ReadingOptions & { readonly output?: string }

/** Without a file the capture itself is on standard output. */
export async function runCapture(
  _args: readonly string[],
  options: CaptureOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.from !== undefined)
    throw new UsageError(
      'capture records a machine, or a file tree given with --root; --from is already a recording',
    )
  const captured = capture(context.system, `handover ${version}`)
  const { output } = options
  if (output !== undefined) writeUserFile(output, captured.text)
  if (options.json) {
    const { captureDocument } = await import('../../api/capture.ts')
    printDocument(context, captureDocument(output, captured))
  } else if (output === undefined) context.file(captured.text)
  else printSummary(output, captured, context)
  return exitCode.done
}

function printSummary(output: string, { host, replaced }: Captured, context: Context): void {
  const stated = `${host.devices.length} PCI functions`
  context.out(`${output}: ${stated}; ${replaced} serials, MACs, ids and names replaced by stand-ins`)
  for (const finding of host.findings) context.err(`note: ${finding.message}`)
}
