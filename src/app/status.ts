/** status: which VMs run, and what their consoles said last. It only looks. */
import { lastLines, runningVms, type VmRecord } from '../engines/qemu/qemu.ts'
import { vmFiles } from '../engines/qemu/vm-files.ts'
import type { System } from '../machine/system.ts'

export type VmStatus = VmRecord & { readonly consoleSocket: string; readonly lastLine: string }

export function vmStatus(system: System): VmStatus[] {
  return runningVms(system).map((record) => ({
    ...record,
    consoleSocket: vmFiles(system, record.name).serial,
    lastLine: lastLines(vmFiles(system, record.name).serialLog, 1),
  }))
}
