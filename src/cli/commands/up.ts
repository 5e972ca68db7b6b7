/** `handover up`: starts the VMs of the plan in force, firewall first, each when what it needs answers. */
import { upDocument } from '../../api/up.ts'
import type { UnitEvent } from '../../app/unit.ts'
import { startVms } from '../../app/up.ts'
import { acceleratorWords } from '../../base/accelerator.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, UsageError, type ExitCode } from '../../base/errors.ts'
import { listAll } from '../../base/text.ts'
import type { AssignedFunction } from '../../engines/engine.ts'
import type { UpEvent } from '../../run/up.ts'
import type { Styler } from '../../show/text/style.ts'
import { printNext } from '../next.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { clean } from '../../base/printable.ts'

export type UpOptions = ReadingOptions & {
  readonly spec?: string
  readonly wait?: boolean
  /** The service of one VM calls: boot/vm-units.ts. */
  readonly unit?: boolean
}

export async function runUp(
  args: readonly string[],
  options: UpOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.unit === true) return await runAsService(args, context)
  const events: UpEvent[] = []
  const show = options.json ? () => undefined : printer(context)
  const request = { vms: args, wait: options.wait !== false, ...defined({ spec: options.spec }) }
  await startVms(context.system, request, (event) => {
    events.push(event)
    show(event)
  })
  if (options.json) printDocument(context, upDocument(events))
  else printNext(context, [{ command: 'sudo handover verify', why: 'looks inside the guests' }])
  return exitCode.done
}

async function runAsService(args: readonly string[], context: Context): Promise<ExitCode> {
  const [vm, ...others] = args
  if (vm === undefined || others.length > 0) throw new UsageError('--unit takes one VM')
  const { runUnit } = await import('../../app/unit.ts')
  const show = printer(context)
  const { err } = context
  await runUnit(context.system, vm, (event) => {
    if (event.kind === 'needs') return err(`${event.vm} waits for ${listAll(event.needs)}`)
    if (event.kind === 'pause') return err(`${event.vm} is started again in ${event.seconds} s`)
    if (event.kind === 'ended-before') return err(endedWords(event))
    return show(event)
  })
  return exitCode.done
}

function endedWords({ vm, restarts, said }: Extract<UnitEvent, { kind: 'ended-before' }>): string {
  const times = restarts === 1 ? 'once' : `${restarts} times`
  const lines = said === '' ? '' : `; its last lines:\n${said}`
  return `${vm} ended or did not start, and was started again ${times}${lines}`
}

function devicesOf(functions: readonly AssignedFunction[]): string {
  const present = functions.filter(({ absent }) => absent !== true)
  return present.map((fn) => `${fn.role || 'along'} ${fn.address}`).join(', ') || 'no device'
}

/** While waiting a line at most every five seconds. */
function printer({ style, out }: Context): (event: UpEvent) => void {
  let nextWait = 5
  return (event) => {
    if (event.kind === 'starting') nextWait = 5
    if (event.kind !== 'waiting') return out(textOf(event, style))
    if (event.seconds < nextWait) return undefined
    nextWait = event.seconds + 5
    return out(style.dim(`${event.vm}: waiting until ${event.for} (${event.seconds.toFixed(0)} s)`))
  }
}

type Happened = Exclude<UpEvent, { kind: 'waiting' }>

function textOf(event: Happened, style: Styler): string {
  const name = style.bold(event.vm)
  switch (event.kind) {
    case 'host-changed': {
      const lines = event.differences.map((words) => `\n  ${clean(words)}`)
      return `${style.yellow('different since the last good boot:')}${lines.join('')}`
    }
    case 'unrecorded':
      return style.yellow(`this boot is not recorded: ${clean(event.said)}`)
    case 'spec-changed': {
      const words = `${event.vm} starts as it was applied; ${event.file} describes it in another way now`
      return style.yellow(words)
    }
    case 'running-already':
      return `${name} runs already`
    case 'being-started':
      return style.dim(`${event.vm} is being started by process ${event.process}: waiting`)
    case 'starts-without':
      return style.yellow(`${event.vm} starts without ${event.role}: ${clean(event.why)}`)
    case 'starting':
      return `${name} starts with ${devicesOf(event.functions)}`
    case 'started': {
      const { record, seconds } = event
      return `${name} runs under ${acceleratorWords(record.accelerator)} (${seconds.toFixed(1)} s)`
    }
    case 'answered':
      return `${style.green('✓')} ${name} is up: ${clean(event.said)} (${event.seconds.toFixed(1)} s)`
    case 'left-out':
      return style.yellow(`${event.vm} is not started: it needs ${event.needs}, which is not up`)
  }
}
