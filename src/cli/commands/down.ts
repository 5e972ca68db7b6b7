/** `handover down`: stops VMs in reverse order of their start, a line for each. */
import { stopVms } from '../../app/down.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import type { Context, ReadingOptions } from '../context.ts'

export type DownOptions = ReadingOptions & { readonly timeout?: string }

export async function runDown(args: readonly string[], options: DownOptions, context: Context): Promise<ExitCode> {
  const timeoutSeconds = Number(options.timeout ?? 30)
  if (!Number.isFinite(timeoutSeconds) || timeoutSeconds < 0)
    throw new UsageError(`--timeout ${options.timeout} is not a number of seconds`)
  const stopped = await stopVms(context.system, { vms: args, timeoutSeconds }, ({ vm, how, seconds }) =>
    context.out(`${context.style.bold(vm)} ${how} (${seconds.toFixed(1)} s)`),
  )
  if (stopped.length === 0) context.out('no VM runs')
  return exitCode.done
}
