/**
 * Chooses between KVM and software emulation by starting a machine: /dev/kvm may exist and still not work.
 */
import type { AcceleratorKind } from '../../base/accelerator.ts'
import type { System } from '../../machine/system.ts'
import { join } from 'node:path'
import { openQmp } from './qmp.ts'
import { bareMachine } from './bare-machine.ts'

export type Accelerator = { readonly kind: AcceleratorKind; readonly why: string }

export async function chooseAccelerator(system: System): Promise<Accelerator> {
  const flags = system.readText('/proc/cpuinfo', 4 * 1024 * 1024)
  if (!flags.ok || !/^flags\s*:.*\b(vmx|svm)\b/m.test(flags.value))
    return { kind: 'tcg', why: 'the CPU offers no vmx or svm' }
  if (!system.stat('/dev/kvm').ok) return { kind: 'tcg', why: 'there is no /dev/kvm' }
  const reason = await tryKvm(system)
  return reason === undefined
    ? { kind: 'kvm', why: 'a trial start worked' }
    : { kind: 'tcg', why: `a trial start with KVM failed: ${reason}` }
}

/** Starts an empty machine under KVM. Returns the reason when that fails. */
async function tryKvm(system: System): Promise<string | undefined> {
  const folder = system.work.makeRunFolder('handover-kvm')
  const socket = join(folder, 'qmp')
  const argv = ['qemu-system-x86_64', ...bareMachine('kvm'), '-S']
  const process = await system.start([...argv, '-qmp', `unix:${socket},server=on,wait=off`])
  try {
    for (let waited = 0; waited < 5000; waited += 50) {
      if (system.stat(socket).ok) {
        const qmp = await openQmp(await system.connect(socket), 5)
        await qmp.execute('query-status')
        qmp.close()
        return undefined
      }
      await system.sleep(50)
    }
    return process.tail().trim().split('\n').at(-1) || 'no answer within 5 s'
  } catch (error) {
    return process.tail().trim().split('\n').at(-1) || (error as Error).message
  } finally {
    await process.stop(100)
    system.work.removeTree(folder)
  }
}
