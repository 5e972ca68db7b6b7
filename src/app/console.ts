/** console: the serial console of a VM that runs. */
import { engine } from '../engines/engines.ts'
import type { Connection, System } from '../machine/system.ts'
import { requireRunning } from './known-vms.ts'

export async function openConsole(system: System, name: string): Promise<Connection> {
  requireRunning(system, [name])
  return await engine.openConsole(system, name)
}
