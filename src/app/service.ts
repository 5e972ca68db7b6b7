/**
 * VMs that are services of systemd, where apply wrote their units (boot/vm-units.ts). Everything here asks
 * systemd by its own programs.
 */
import { AppError } from '../base/errors.ts'
import { isOwnText } from '../boot/own-file.ts'
import { vmDropInPath, vmUnitName } from '../boot/vm-units.ts'
import type { Given } from '../engines/engine.ts'
import { runningVms } from '../engines/engines.ts'
import type { System } from '../machine/system.ts'
import { readyInWords } from '../run/readiness.ts'
import type { UpEvent } from '../run/up.ts'
import type { VmSpec } from '../spec/spec.ts'

/** What systemd says of a unit (org.freedesktop.systemd1(5)). */
export type ServiceState = {
  /** `active`, `activating`, `deactivating`, `inactive`, `failed`. */
  readonly active: string
  /** `auto-restart` while a restart is waited for. */
  readonly sub: string
  /** `success`, or why it ended: `exit-code`, `signal`, `timeout`. */
  readonly result: string
  /** How often systemd started it again. */
  readonly restarts: number
  /** What the service said last of its own start. */
  readonly said: string
}

/** Whether this host runs the VM as a service. */
export function hasService(system: System, vm: string): boolean {
  if (!system.list('/run/systemd/system').ok) return false
  const unit = system.readText(vmDropInPath(vm))
  return unit.ok && isOwnText(unit.value)
}

/** The states of those that systemd knows. */
export async function readServices(
  system: System,
  vms: readonly string[],
): Promise<ReadonlyMap<string, ServiceState>> {
  const known = vms.filter((vm) => hasService(system, vm))
  if (known.length === 0) return new Map()
  const argv = ['systemctl', 'show', '--property', properties.join(','), ...known.map(vmUnitName)]
  const { status, stdout } = await system.exec(argv, { timeoutSeconds: 10 })
  if (status !== 0) return new Map()
  return new Map(
    stdout.split(/\n\n+/).flatMap((block) => {
      const { Id, ActiveState = '', SubState = '', Result = '', NRestarts, StatusText = '' } = fieldsOf(block)
      const vm = known.find((name) => vmUnitName(name) === Id)
      if (vm === undefined) return []
      const restarts = Number(NRestarts) || 0
      return [[vm, { active: ActiveState, sub: SubState, result: Result, restarts, said: StatusText }]]
    }),
  )
}

const properties = ['Id', 'ActiveState', 'SubState', 'Result', 'NRestarts', 'StatusText'] as const

function fieldsOf(block: string): Partial<Record<(typeof properties)[number], string>> {
  return Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

type Launch = {
  readonly given: Given
  readonly wait: boolean
  readonly report: (event: UpEvent) => void
}

/** Starts a VM as its service. systemd ends the start when it takes longer than the unit allows. */
export async function launchService(
  system: System,
  vm: VmSpec,
  { given, wait, report }: Launch,
): Promise<void> {
  report({ kind: 'starting', vm: vm.name, functions: given.functions })
  const begun = system.now().getTime()
  const seconds = () => (system.now().getTime() - begun) / 1000
  await systemctl(system, ['daemon-reload'])
  const job = await system.start(['systemctl', 'start', vmUnitName(vm.name)])
  let end: number | undefined
  void job.ended.then(({ status }) => (end = status ?? 1))
  let isSaid = false
  for (;;) {
    const record = runningVms(system).find(({ name, starting }) => name === vm.name && starting !== true)
    if (record !== undefined && !isSaid) report({ kind: 'started', vm: vm.name, record, seconds: seconds() })
    isSaid ||= record !== undefined
    if (end !== undefined || (isSaid && !wait)) break
    const words = vm.ready === undefined ? 'it runs' : readyInWords(vm.ready.check)
    report({ kind: 'waiting', vm: vm.name, for: words, said: '', seconds: seconds() })
    await system.sleep(250)
  }
  if (end !== undefined && end !== 0) throw await notStarted(system, vm.name)
  if (wait && vm.ready !== undefined)
    report({ kind: 'answered', vm: vm.name, said: readyInWords(vm.ready.check), seconds: seconds() })
}

async function notStarted(system: System, vm: string): Promise<AppError> {
  const argv = ['journalctl', '--unit', vmUnitName(vm), '--lines', '8', '--output', 'cat', '--no-pager']
  const { stdout } = await system.exec(argv, { timeoutSeconds: 10 })
  const lines = stdout.trimEnd().replaceAll(/^/gm, '    ')
  return new AppError(`the service of ${vm} did not start it`, {
    help:
      `the last lines of its log:\n${lines}\n  it is started again until it comes up; to end that: ` +
      `handover down ${vm}`,
  })
}

/**
 * Stops the services of these VMs that run or are about to, and does not wait for their ends: else systemd
 * would start a VM again that had to be switched off. Gives back their names.
 */
export async function stopServices(system: System, vms: readonly string[]): Promise<string[]> {
  const states = await readServices(system, vms)
  const started = [...states].flatMap(([vm, { active }]) =>
    active === 'inactive' || active === 'failed' ? [] : [vm],
  )
  if (started.length > 0) await systemctl(system, ['stop', '--no-block', ...started.map(vmUnitName)])
  return started
}

async function systemctl(system: System, words: readonly string[]): Promise<void> {
  const { status, stderr } = await system.exec(['systemctl', ...words], { timeoutSeconds: 60 })
  if (status === 0) return
  throw new AppError(`systemctl ${words.join(' ')}: ${stderr.trim() || `status ${status}`}`, {
    help: 'look at what systemd says: systemctl status; journalctl -b -p err',
  })
}
