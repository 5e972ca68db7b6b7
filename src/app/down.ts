/**
 * down: stops VMs in reverse order of their start. A guest is asked first, and switched off when it does not
 * go.
 */
import { AppError } from '../base/errors.ts'
import type { StopResult } from '../engines/engine.ts'
import { engine, runningVms } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'
import { askGuest } from '../run/guest-report.ts'
import { knownVms, requireRunning } from './known-vms.ts'
import { stopServices } from './service.ts'

export type DownRequest = {
  /** All that run when empty. */
  readonly vms?: readonly string[]
  /** How long a guest may take before it is switched off. */
  readonly timeoutSeconds: number
  /** The caller is the service of these VMs: one that does not run is no mistake. */
  readonly asService?: boolean
}

export type Stopped = {
  readonly vm: string
  /** `start given up`: it did not run, and its service waited to start it. */
  readonly how: StopResult | 'start given up'
  readonly seconds: number
}

/** Reports each VM as it stops; gives back all of them. */
export async function stopVms(
  system: System,
  { vms = [], timeoutSeconds, asService = false }: DownRequest,
  report: (stopped: Stopped) => void,
): Promise<Stopped[]> {
  const services = asService
    ? []
    : await stopServices(system, vms.length > 0 ? vms : (knownVms(system) ?? []))
  const named = vms.filter((vm) => !services.includes(vm))
  const found = asService ? runningVms(system) : requireRunning(system, named)
  const running = found.toSorted((a, b) => b.started.localeCompare(a.started))
  const chosen = vms.length > 0 ? running.filter((vm) => vms.includes(vm.name)) : running
  const stopped: Stopped[] = []
  for (const vm of services.filter((name) => !running.some((one) => one.name === name))) {
    const one: Stopped = { vm, how: 'start given up', seconds: 0 }
    stopped.push(one)
    report(one)
  }
  for (const record of chosen) {
    const begun = system.now().getTime()
    await askToPowerOff(system, record.name)
    const how = await engine.stop(system, record, timeoutSeconds)
    const one = { vm: record.name, how, seconds: (system.now().getTime() - begun) / 1000 }
    stopped.push(one)
    report(one)
  }
  return stopped
}

/** A guest that speaks on the report line knows the word; others get the power button alone. */
async function askToPowerOff(system: System, name: string): Promise<void> {
  try {
    await askGuest(await engine.openReport(system, name), 'poweroff', 1)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // No such guest, or it is going down already: the power button follows.
  }
}
