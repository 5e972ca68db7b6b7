/** `handover status`: every VM with its state, since when, its devices, and what its console said last. */
import { bootWords, recordedChanges, type Checked } from '../../app/check.ts'
import { vmStatus, type VmStatus } from '../../app/status.ts'
import type { VmRecord } from '../../engines/engine.ts'
import { acceleratorWords } from '../../base/accelerator.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'
import { differenceLines } from './check.ts'

export async function runStatus(
  _args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const vms = await vmStatus(context.system)
  const changes = recordedChanges(context.system)
  if (options.json) {
    const { statusDocument } = await import('../../api/status.ts')
    printDocument(context, statusDocument(vms, changes))
  } else if (vms.length === 0) context.out('no VM runs, and no plan is in force')
  else for (const vm of vms) printVm(vm, context)
  if (changes !== undefined && options.json !== true) printChanges(changes, context)
  return exitCode.done
}

function printChanges({ good, differences }: Checked, context: Context): void {
  const { out, style } = context
  if (good.kind === 'unreadable')
    out(style.yellow(`what is different since the last good boot is not known: ${clean(good.reason)}`))
  if (good.kind !== 'known' || differences.length === 0) return
  out(style.bold(`different since the last good boot (${clean(bootWords(good.record))}):`))
  for (const line of differenceLines(differences, context)) out(line)
}

function printVm(vm: VmStatus, { out, style }: Context): void {
  const { state, record, service } = vm
  const how = record === undefined ? '' : ` ${runningWords(record)}`
  const colour = state === 'running' ? style.green : state === 'failed' ? style.red : style.yellow
  out(`${style.bold(clean(vm.name))}  ${state === 'stopped' ? state : colour(state)}${clean(how)}`)
  const devices = vm.functions.map((fn) => `${fn.role || 'along'} ${fn.address}`).join(', ')
  out(`  devices: ${clean(devices) || 'none'}`)
  if (service !== undefined && service.said !== '' && state !== 'running' && state !== 'stopped')
    out(`  service: ${clean(service.said.slice(0, 200))}`)
  if (service !== undefined && service.restarts > 0)
    out(`  started again ${service.restarts === 1 ? 'once' : `${service.restarts} times`}`)
  if (vm.cause !== undefined) {
    out(`  ended because: ${clean(vm.cause.cause)}`)
    out(`  what helps: ${clean(vm.cause.remedy[0] ?? '')}`)
  }
  if (vm.lastLine !== '') out(`  console: ${clean(vm.lastLine.slice(0, 100))}`)
}

function runningWords({ started, pid, accelerator }: VmRecord): string {
  return `since ${started.slice(0, 19)}Z, process ${pid}, ${acceleratorWords(accelerator)}`
}
