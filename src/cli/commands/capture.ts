/** `handover capture [-o FILE]`: the host as one redacted file that every reading command takes with --from. */
import { capture } from '../../app/capture.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { version } from '../version.ts'

export type CaptureOptions = ReadingOptions & { readonly output?: string }

export function runCapture(_args: readonly string[], options: CaptureOptions, context: Context): Promise<ExitCode> {
  if (options.from !== undefined)
    throw new UsageError('capture records a machine, or a file tree given with --root; --from is already a recording')
  const { text, host, replaced } = capture(context.system, `handover ${version}`)
  if (options.output === undefined) {
    context.file(text)
    return Promise.resolve(exitCode.done)
  }
  writeUserFile(options.output, text)
  const what = `${host.devices.length} PCI functions; ${replaced} serials, MACs, ids and names replaced by stand-ins`
  context.out(`${options.output}: ${what}`)
  for (const finding of host.findings) context.err(`note: ${finding.message}`)
  return Promise.resolve(exitCode.done)
}
