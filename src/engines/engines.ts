/** The table of engines. The first one runs every VM. */
import type { System } from '../machine/system.ts'
import type { Engine, VmRecord } from './engine.ts'
import { qemu } from './qemu/qemu.ts'

const engines: readonly [Engine, ...Engine[]] = [qemu]

export const [engine] = engines

/** The running VMs of all engines. */
export function runningVms(system: System): VmRecord[] {
  return engines.flatMap((one) => one.running(system))
}
