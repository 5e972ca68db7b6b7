/** `handover status`: which VMs run, since when, with which devices, and what their consoles said last. */
import { vmStatus, type VmStatus } from '../../app/status.ts'
import { acceleratorWords } from '../../base/accelerator.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import { clean } from '../../base/printable.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export async function runStatus(
  _args: readonly string[],
  options: ReadingOptions,
  context: Context,
): Promise<ExitCode> {
  const vms = vmStatus(context.system)
  if (options.json) {
    const { statusDocument } = await import('../../api/status.ts')
    printDocument(context, statusDocument(vms))
  } else if (vms.length === 0) context.out('no VM runs')
  else for (const vm of vms) printVm(vm, context)
  return exitCode.done
}

function printVm(vm: VmStatus, { out, style }: Context): void {
  const devices = vm.functions.map((fn) => `${fn.role || 'along'} ${fn.address}`).join(', ')
  const accelerator = acceleratorWords(vm.accelerator)
  out(`${style.bold(clean(vm.name))}  process ${vm.pid}, ${accelerator}, since ${vm.started.slice(0, 19)}Z`)
  out(`  devices: ${devices || 'none'}`)
  if (vm.lastLine !== '') out(`  console: ${clean(vm.lastLine.slice(0, 100))}`)
}
