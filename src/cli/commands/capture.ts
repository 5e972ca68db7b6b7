/** `handover capture [-o FILE]`: the host as one redacted file that every reading command takes with --from. */
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { captureHost } from '../../sources/capture/capture.ts'
import { readPciIds } from '../../host/read/name-devices.ts'
import { linuxSystem } from '../../machine/linux.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { version } from '../version.ts'

export type CaptureOptions = ReadingOptions & { readonly output?: string }

export function runCapture(_args: readonly string[], options: CaptureOptions, context: Context): Promise<ExitCode> {
  if (options.from !== undefined)
    throw new UsageError('capture records a machine, or a file tree given with --root; --from is already a recording')
  const pciIds = readPciIds(context.system) ?? readPciIds(linuxSystem())
  const captured = captureHost(context.system, `handover ${version}`, pciIds)
  if (options.output === undefined) {
    context.file(captured.text)
    return Promise.resolve(exitCode.done)
  }
  writeUserFile(options.output, captured.text)
  context.out(
    `${options.output}: ${captured.host.devices.length} PCI functions; ${captured.replaced} serials, MACs, ids and names replaced by stand-ins`,
  )
  for (const finding of captured.host.findings) context.err(`note: ${finding.message}`)
  return Promise.resolve(exitCode.done)
}
