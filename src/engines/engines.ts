/** The engines there are. The first runs every VM. */
import type { System } from '../machine/system.ts'
import type { Engine, VmRecord } from './engine.ts'
import { qemu } from './qemu/qemu.ts'

const engines: readonly [Engine, ...Engine[]] = [qemu]

export const [engine] = engines

/** Every VM that runs, whatever engine started it. */
export function runningVms(system: System): VmRecord[] {
  return engines.flatMap((one) => one.running(system))
}
