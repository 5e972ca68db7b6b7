/**
 * What the service of a VM runs. It waits for the VMs that this VM needs, starts this VM alone, and names its
 * process to systemd, which watches it from then on (sd_notify(3), MAINPID). No process of ours stays.
 */
import { AppError } from '../base/errors.ts'
import { listAll } from '../base/text.ts'
import { runningVms, engine } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'
import { askReady } from '../run/readiness.ts'
import type { UpEvent } from '../run/up.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import { readInForce } from './in-force.ts'
import { refuseUnknownVms } from './known-vms.ts'
import { readServices } from './service.ts'
import { startVms } from './up.ts'

export type UnitEvent =
  | UpEvent
  /** It died, and is started again after a pause. */
  | { readonly kind: 'ended-before'; readonly vm: string; readonly restarts: number; readonly said: string }
  | { readonly kind: 'pause'; readonly vm: string; readonly seconds: number }
  | { readonly kind: 'needs'; readonly vm: string; readonly needs: readonly string[] }

export async function runUnit(
  system: System,
  name: string,
  report: (event: UnitEvent) => void,
): Promise<void> {
  const { spec, record } = readInForce(system, undefined)
  refuseUnknownVms([name], record.startOrder)
  const restarts = (await readServices(system, [name])).get(name)?.restarts ?? 0
  if (restarts > 0) await pause(system, { name, restarts }, report)
  const vm = spec.vms.find((one) => one.name === name)
  if (vm !== undefined) await waitForNeeds(system, spec, vm, report)
  await notify(system, ['--status', `starts ${name}`])
  await startVms(system, { vms: [name], asService: true }, report)
  const running = runningVms(system).find((one) => one.name === name)
  if (running === undefined) throw new AppError(`${name} ended as soon as it was up`)
  await notify(system, ['--ready', '--status', 'up', `MAINPID=${running.pid}`])
}

/** Doubled each time, so that a VM that cannot run costs the host nothing. */
export function pauseSeconds(restarts: number): number {
  return Math.min(120, 2 ** Math.min(restarts, 10))
}

async function pause(
  system: System,
  { name, restarts }: { readonly name: string; readonly restarts: number },
  report: (event: UnitEvent) => void,
): Promise<void> {
  report({ kind: 'ended-before', vm: name, restarts, said: engine.lastWords(system, name, 8) })
  const seconds = pauseSeconds(restarts)
  report({ kind: 'pause', vm: name, seconds })
  await notify(system, ['--status', `is started again after ${seconds} s (${restarts} times so far)`])
  await system.sleep(seconds * 1000)
}

/** How long a VM waits for one that it needs and that has no time of its own. */
const needSeconds = 60

async function waitForNeeds(
  system: System,
  spec: Spec,
  vm: VmSpec,
  report: (event: UnitEvent) => void,
): Promise<void> {
  const needed = spec.vms.filter(({ name }) => vm.needs.includes(name))
  if (needed.length === 0) return
  report({ kind: 'needs', vm: vm.name, needs: vm.needs })
  await notify(system, ['--status', `waits for ${listAll(vm.needs)}`])
  for (const other of needed) await waitFor(system, other, vm.name)
}

async function waitFor(system: System, other: VmSpec, waiting: string): Promise<void> {
  const { check, withinSeconds = needSeconds } = other.ready ?? {}
  const until = system.now().getTime() + withinSeconds * 1000
  let said = 'it does not run'
  do {
    const isUp = runningVms(system).some(({ name, starting }) => name === other.name && starting !== true)
    if (isUp && check === undefined) return
    if (isUp && check !== undefined) {
      const answer = await askReady(check, () => engine.openReport(system, other.name), 2000)
      if (answer.answered) return
      said = answer.said
    }
    await system.sleep(500)
  } while (system.now().getTime() < until)
  throw new AppError(`${waiting} needs ${other.name}, which is not up after ${withinSeconds} s (${said})`, {
    help: `${waiting} is started when ${other.name} answers; see handover status`,
  })
}

/** Outside a service nobody listens, and nothing is said. */
async function notify(system: System, words: readonly string[]): Promise<void> {
  const socket = system.env('NOTIFY_SOCKET')
  if (socket === undefined) return
  const { status, stderr } = await system.exec(['systemd-notify', ...words], {
    timeoutSeconds: 10,
    env: { NOTIFY_SOCKET: socket },
  })
  if (status !== 0) throw new AppError(`systemd-notify: ${stderr.trim() || `status ${status}`}`)
}
