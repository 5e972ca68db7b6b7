/** status: which VMs run, and what their consoles said last. It only looks. */
import type { VmRecord } from '../engines/engine.ts'
import { engine, runningVms } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'

export type VmStatus = VmRecord & { readonly consoleSocket: string; readonly lastLine: string }

export function vmStatus(system: System): VmStatus[] {
  return runningVms(system).map((record) => ({
    ...record,
    consoleSocket: engine.consoleSocket(system, record.name),
    lastLine: engine.lastWords(system, record.name, 1),
  }))
}
