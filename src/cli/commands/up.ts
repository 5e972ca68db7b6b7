/** `handover up`: starts the VMs of the plan in force, firewall first, each when what it needs answers. */
import { upDocument } from '../../api/up.ts'
import { startVms } from '../../app/up.ts'
import { acceleratorWords } from '../../base/accelerator.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import type { UpEvent } from '../../run/up.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { clean } from '../../base/printable.ts'

export type UpOptions = ReadingOptions & { readonly spec?: string; readonly wait?: boolean }

export async function runUp(
  args: readonly string[],
  options: UpOptions,
  context: Context,
): Promise<ExitCode> {
  const events: UpEvent[] = []
  const show = options.json ? () => undefined : printer(context)
  const request = { vms: args, wait: options.wait !== false, ...defined({ spec: options.spec }) }
  await startVms(context.system, request, (event) => {
    events.push(event)
    show(event)
  })
  if (options.json) printDocument(context, upDocument(events))
  return exitCode.done
}

/** One line per event; while waiting a line at most every five seconds. */
function printer(context: Context): (event: UpEvent) => void {
  const { style } = context
  let nextWait = 5
  return (event) => {
    const name = style.bold(event.vm)
    switch (event.kind) {
      case 'spec-changed':
        return context.out(
          style.yellow(`${event.vm} starts as it was applied; ${event.file} describes it in another way now`),
        )
      case 'running-already':
        return context.out(`${name} runs already`)
      case 'being-started':
        return context.out(style.dim(`${event.vm} is being started by process ${event.process}: waiting`))
      case 'starting': {
        nextWait = 5
        const devices = event.functions.map((fn) => `${fn.role || 'along'} ${fn.address}`).join(', ')
        return context.out(`${name} starts with ${devices || 'no device'}`)
      }
      case 'started':
        return context.out(
          `${name} runs under ${acceleratorWords(event.record.accelerator)} (${event.seconds.toFixed(1)} s)`,
        )
      case 'waiting':
        if (event.seconds < nextWait) return undefined
        nextWait = event.seconds + 5
        return context.out(
          style.dim(`${event.vm}: waiting until ${event.for} (${event.seconds.toFixed(0)} s)`),
        )
      case 'answered':
        return context.out(
          `${style.green('✓')} ${name} is up: ${clean(event.said)} (${event.seconds.toFixed(1)} s)`,
        )
    }
  }
}
