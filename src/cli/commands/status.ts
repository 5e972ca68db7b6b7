/** `handover status`: which VMs run, since when, with which devices, and what their consoles said last. */
import { acceleratorWords } from '../../base/accelerator.ts'
import { clean } from '../../base/printable.ts'
import { vmStatus } from '../../app/status.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import type { Context, ReadingOptions } from '../context.ts'

export function runStatus(_args: readonly string[], options: ReadingOptions, context: Context): Promise<ExitCode> {
  const vms = vmStatus(context.system)
  if (options.json) context.out(JSON.stringify({ schema: 1, vms }, null, 2))
  else if (vms.length === 0) context.out('no VM runs')
  for (const vm of options.json ? [] : vms) {
    const devices = vm.functions.map((fn) => `${fn.role || 'along'} ${fn.address}`).join(', ')
    const accelerator = acceleratorWords(vm.accelerator)
    context.out(
      `${context.style.bold(clean(vm.name))}  process ${vm.pid}, ${accelerator}, since ${vm.started.slice(0, 19)}Z`,
    )
    context.out(`  devices: ${devices || 'none'}`)
    if (vm.lastLine !== '') context.out(`  console: ${clean(vm.lastLine.slice(0, 100))}`)
  }
  return Promise.resolve(exitCode.done)
}
