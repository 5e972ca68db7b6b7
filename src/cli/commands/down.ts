/** `handover down`: stops VMs in reverse order of their start; a guest is asked first and switched off when it does not go. */
import { AppError, exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { runningVms, stopVm } from '../../engines/qemu/qemu.ts'
import { askGuest } from '../../run/guest-report.ts'
import { vmFiles } from '../../engines/qemu/vm-files.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { knownVms, refuseUnknownVms } from '../known-vms.ts'

export type DownOptions = ReadingOptions & { readonly timeout?: string }

export async function runDown(args: readonly string[], options: DownOptions, context: Context): Promise<ExitCode> {
  const timeout = Number(options.timeout ?? 30)
  if (!Number.isFinite(timeout) || timeout < 0)
    throw new UsageError(`--timeout ${options.timeout} is not a number of seconds`)
  const running = runningVms(context.system).toSorted((a, b) => b.started.localeCompare(a.started))
  refuseUnknownVms(args, knownVms(context))
  const unknown = args.find((name) => !running.some((vm) => vm.name === name))
  if (unknown !== undefined)
    throw new AppError(`${unknown} does not run`, {
      help: `running: ${running.map((vm) => vm.name).join(', ') || 'none'}`,
    })
  const chosen = args.length > 0 ? running.filter((vm) => args.includes(vm.name)) : running
  if (chosen.length === 0) context.out('no VM runs')
  for (const record of chosen) {
    const begun = context.system.now().getTime()
    await askToPowerOff(context, record.name)
    const how = await stopVm(context.system, record, timeout)
    const seconds = ((context.system.now().getTime() - begun) / 1000).toFixed(1)
    context.out(`${context.style.bold(record.name)} ${how} (${seconds} s)`)
  }
  return exitCode.done
}

/** A guest that speaks on the report line knows the word; others get the power button alone. */
async function askToPowerOff(context: Context, name: string): Promise<void> {
  try {
    await askGuest(context.system, vmFiles(name).report, 'poweroff', 1)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // No such guest, or it is going down already: the power button follows.
  }
}
