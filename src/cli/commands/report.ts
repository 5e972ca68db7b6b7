/**
 * `handover report [-o FILE]`: one anonymous archive for a bug report; what is in it is listed, and nothing
 * is sent.
 */
import { report, type Report } from '../../app/report.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { writeUserFile } from '../../machine/user-file.ts'
import { printDocument, type Context } from '../context.ts'
import { version } from '../version.ts'

export type ReportOptions = {
  readonly json?: boolean
  readonly output: string
  /** Absent: they go along. */
  readonly consoles?: boolean
}

export async function runReport(
  _args: readonly string[],
  options: ReportOptions,
  context: Context,
): Promise<ExitCode> {
  const request = { by: `handover ${version}`, consoles: options.consoles !== false }
  const made = await report(context.system, request)
  writeUserFile(options.output, made.archive)
  if (options.json) {
    const { reportDocument } = await import('../../api/report.ts')
    printDocument(context, reportDocument(options.output, made))
  } else printContents(options.output, made, context)
  return exitCode.done
}

function printContents(file: string, { files, replaced, missing }: Report, context: Context): void {
  context.out(
    `${file}: ${files.length} files; ${replaced} serials, MACs, ids and names replaced by stand-ins`,
  )
  for (const { path, bytes } of files) context.out(`  ${clean(path)}  ${bytes} bytes`)
  for (const words of missing) context.err(`note: not in it, because it cannot be read: ${clean(words)}`)
  context.out(`Nothing was sent. Look into it before you pass it on: tar -xzOf ${file} | less`)
}
