/** console: the serial console of a VM that runs. */
import { vmFiles } from '../engines/qemu/vm-files.ts'
import type { Connection, System } from '../machine/system.ts'
import { requireRunning } from './known-vms.ts'

export async function openConsole(system: System, name: string): Promise<Connection> {
  requireRunning(system, [name])
  return await system.connect(vmFiles(system, name).serial)
}
