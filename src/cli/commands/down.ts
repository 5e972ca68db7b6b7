/** `handover down`: stops VMs in reverse order of their start, a line for each. */
import { downDocument } from '../../api/down.ts'
import { stopVms, type Stopped } from '../../app/down.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export type DownOptions = ReadingOptions & { readonly timeout?: string; readonly unit?: boolean }

export async function runDown(
  args: readonly string[],
  options: DownOptions,
  context: Context,
): Promise<ExitCode> {
  const timeoutSeconds = Number(options.timeout ?? 30)
  if (!Number.isFinite(timeoutSeconds) || timeoutSeconds < 0)
    throw new UsageError(`--timeout ${options.timeout} is not a number of seconds`)
  const print = ({ vm, how, seconds }: Stopped) =>
    context.out(`${context.style.bold(vm)} ${how} (${seconds.toFixed(1)} s)`)
  const report = options.json ? () => undefined : print
  const asService = options.unit === true
  const stopped = await stopVms(context.system, { vms: args, timeoutSeconds, asService }, report)
  if (options.json) printDocument(context, downDocument(stopped))
  else if (stopped.length === 0) context.out('no VM runs')
  return exitCode.done
}
