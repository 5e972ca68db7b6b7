/**
 * Starts the VMs of an applied plan in their order, each one after the VMs that it needs answer. Every device
 * is checked again before its VM gets it. The caller prints the reported events.
 */
import type { JournalRecord } from '../apply/journal.ts'
import { AppError } from '../base/errors.ts'
import { runFolder } from '../base/own-folders.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import type { System } from '../machine/system.ts'
import type { AssignedFunction, Given, VmRecord } from '../engines/engine.ts'
import { engine, runningVms } from '../engines/engines.ts'
import { functionsNow, type LeftOut } from './given.ts'
import { askReady, readyInWords } from './readiness.ts'

export type UpEvent =
  /** What is different since the last good boot (app/watch.ts), in words. */
  | { readonly kind: 'host-changed'; readonly vm: string; readonly differences: readonly string[] }
  /** Why the record of this boot is not on disk. */
  | { readonly kind: 'unrecorded'; readonly vm: string; readonly said: string }
  /** The file describes the VM differently now, or no longer has it. The VM starts as it was applied. */
  | { readonly kind: 'spec-changed'; readonly vm: string; readonly file: string }
  | { readonly kind: 'running-already'; readonly vm: string }
  /** Another process is starting the VM, and this one waits for it. */
  | { readonly kind: 'being-started'; readonly vm: string; readonly process: number }
  /** An optional device is not there, or not as the plan left it. */
  | ({ readonly kind: 'starts-without'; readonly vm: string } & LeftOut)
  | { readonly kind: 'starting'; readonly vm: string; readonly functions: readonly AssignedFunction[] }
  | { readonly kind: 'started'; readonly vm: string; readonly record: VmRecord; readonly seconds: number }
  | {
      readonly kind: 'waiting'
      readonly vm: string
      readonly for: string
      readonly said: string
      readonly seconds: number
    }
  | { readonly kind: 'answered'; readonly vm: string; readonly said: string; readonly seconds: number }
  /** The VM is not started, because a VM that it needs is not up. */
  | { readonly kind: 'left-out'; readonly vm: string; readonly needs: string }

export type UpRequest = {
  readonly spec: Spec
  readonly record: JournalRecord
  /** VM names; empty means all VMs of the plan. The VMs that they need are started as well. */
  readonly wanted: readonly string[]
  readonly wait: boolean
  /** Start only the wanted VMs. The caller has checked whether the VMs that they need answer. */
  readonly alone?: boolean
  /**
   * Called before anything is created for a VM. Throws AppError when the VM must not start now. Returns the
   * optional devices that it starts without.
   */
  readonly check?: (vm: VmSpec) => readonly LeftOut[]
  /** Starts a VM that is a service of the host (app/service.ts). Absent: the engine starts it. */
  readonly launch?: (vm: VmSpec, given: Given) => Promise<void>
}

/** When a VM fails, only the VMs that need it are not started. Throws at the end. */
export async function up(
  system: System,
  request: UpRequest,
  report: (event: UpEvent) => void,
): Promise<void> {
  const failed = new Map<string, AppError>()
  const down = new Set<string>()
  for (const vm of vmsInOrder(request)) {
    const needs = vm.needs.find((needed) => down.has(needed))
    if (needs !== undefined) report({ kind: 'left-out', vm: vm.name, needs })
    const error = needs === undefined ? await startError(system, request, vm, report) : undefined
    if (error !== undefined) failed.set(vm.name, error)
    if (needs !== undefined || error !== undefined) down.add(vm.name)
  }
  throwAll(failed)
}

async function startError(
  system: System,
  request: UpRequest,
  vm: VmSpec,
  report: (event: UpEvent) => void,
): Promise<AppError | undefined> {
  try {
    await startUnlessRunning(system, request, vm, report)
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function throwAll(failed: ReadonlyMap<string, AppError>): void {
  const [first, ...others] = failed.values()
  if (first === undefined) return
  if (others.length === 0) throw first
  const each = [...failed].map(
    ([vm, { message, help }]) => `\n  ${vm}: ${message}${help === undefined ? '' : `\n    help: ${help}`}`,
  )
  throw new AppError(`${failed.size} VMs did not start:${each.join('')}`, { exitCode: first.exitCode })
}

/**
 * A journal may have no text of its spec: when the file no longer has a VM of the plan, nothing is started.
 */
function vmsInOrder(request: UpRequest): VmSpec[] {
  return order(request).map((name) => {
    const vm = request.spec.vms.find((candidate) => candidate.name === name)
    if (vm !== undefined) return vm
    throw new AppError(`the plan in force has ${name}, the spec no longer has it`, {
      help: 'run handover plan and handover apply again',
    })
  })
}

/** Only one process starts a VM at a time. The lock of a process that died does not block. */
async function startUnlessRunning(
  system: System,
  { record, spec, wait, check, launch }: UpRequest,
  vm: VmSpec,
  report: (event: UpEvent) => void,
): Promise<void> {
  const givenNow = (): Given => ({ spec, functions: checkedFunctions(record, vm, check, report) })
  if (launch !== undefined && !isRunning(system, vm.name)) return await launch(vm, givenNow())
  const release = await takeStart(system, vm.name, report)
  let started: Started | undefined
  try {
    const found = runningVms(system).find(({ name }) => name === vm.name)
    if (found !== undefined && found.starting !== true)
      return report({ kind: 'running-already', vm: vm.name })
    // The process that began this start has died, and the guest never ran.
    if (found !== undefined) await engine.stop(system, found, 0)
    const given = givenNow()
    refuseWaiting(vm, record)
    started = await startOne(system, vm, given, report)
  } finally {
    release()
  }
  if (wait) await waitReady(system, vm, started, report)
}

function checkedFunctions(
  record: JournalRecord,
  vm: VmSpec,
  check: UpRequest['check'],
  report: (event: UpEvent) => void,
): AssignedFunction[] {
  const leftOut = check?.(vm) ?? []
  for (const one of leftOut) report({ kind: 'starts-without', vm: vm.name, ...one })
  return functionsNow(record, vm, leftOut)
}

function isRunning(system: System, name: string): boolean {
  return runningVms(system).some((vm) => vm.name === name && vm.starting !== true)
}

/** The longest start: disk images are created, and QEMU has a minute to open its sockets. */
const startSeconds = 180

async function takeStart(
  system: System,
  name: string,
  report: (event: UpEvent) => void,
): Promise<() => void> {
  const path = `${runFolder}/starting-${name}`
  let isSaid = false
  for (let waited = 0; waited < startSeconds * 1000; waited += 100) {
    const lock = system.lock(path, 'up')
    if (lock.ok) return lock.release
    if (!isSaid) report({ kind: 'being-started', vm: name, process: lock.holder.pid })
    isSaid = true
    await system.sleep(100)
  }
  throw new AppError(`another process has been starting ${name} for more than ${startSeconds} s`, {
    help: 'find that process: ps -ef | grep handover',
  })
}

/**
 * Throws when a virtual function of the VM did not exist at the last apply, since the guest would lack a
 * device.
 */
function refuseWaiting(vm: VmSpec, { assignments }: JournalRecord): void {
  const waiting = vm.devices.filter(
    ({ role, select }) =>
      select.virtualFunction !== undefined &&
      !assignments.some((one) => one.vm === vm.name && one.role === role),
  )
  if (waiting.length === 0) return
  throw new AppError(`${vm.name} has no device for ${waiting.map(({ role }) => role).join(', ')} yet`, {
    help: 'the virtual functions exist, but are not assigned yet; run again: handover apply',
  })
}

/** The wanted VMs and the VMs that they need, in the start order of the plan. */
function order({ spec, record, wanted, alone }: Omit<UpRequest, 'wait'>): string[] {
  const known = record.startOrder
  const unknown = wanted.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new AppError(`there is no VM ${unknown} in the plan in force`, {
      help: `VMs are: ${known.join(', ') || 'none'}`,
    })
  }
  const chosen = new Set<string>()
  const add = (name: string) => {
    if (chosen.has(name)) return
    chosen.add(name)
    if (alone === true) return
    for (const needed of spec.vms.find((vm) => vm.name === name)?.needs ?? []) add(needed)
  }
  for (const name of wanted.length > 0 ? wanted : known) add(name)
  return known.filter((name) => chosen.has(name))
}

/** `seconds` returns the time since the start began. */
type Started = { readonly record: VmRecord; readonly seconds: () => number }

async function startOne(
  system: System,
  vm: VmSpec,
  given: Given,
  report: (event: UpEvent) => void,
): Promise<Started> {
  checkMemory(system, vm)
  engine.check(system, vm, given)
  report({ kind: 'starting', vm: vm.name, functions: given.functions })
  const begun = system.now().getTime()
  const seconds = () => (system.now().getTime() - begun) / 1000
  const record = await engine.start(system, vm, given)
  report({ kind: 'started', vm: vm.name, record, seconds: seconds() })
  return { record, seconds }
}

async function waitReady(
  system: System,
  vm: VmSpec,
  { record, seconds }: Started,
  report: (event: UpEvent) => void,
): Promise<void> {
  if (!vm.ready) return
  const { check, withinSeconds } = vm.ready
  const words = readyInWords(check)
  let said = ''
  while (seconds() < withinSeconds) {
    const asked = seconds()
    const patience = Math.min(2000, (withinSeconds - asked) * 1000 + 100)
    const answer = await askReady(check, () => engine.openReport(system, vm.name), patience)
    if (answer.answered)
      return report({ kind: 'answered', vm: vm.name, said: answer.said, seconds: seconds() })
    said = answer.said
    report({ kind: 'waiting', vm: vm.name, for: words, said, seconds: seconds() })
    if (!runningVms(system).some((running) => running.name === vm.name)) {
      throw new AppError(`${vm.name} ended before it answered`, { help: lastWords(system, vm.name) })
    }
    // A refused connection returns at once; one without an answer has waited already.
    await system.sleep(Math.max(0, 250 - (seconds() - asked) * 1000))
  }
  await engine.stop(system, record, 0)
  throw new AppError(
    `${vm.name} did not answer within ${withinSeconds} s (${words}; last: ${said}) and was switched off`,
    {
      help:
        `${lastWords(system, vm.name)}\n  to look inside while it starts: handover up ` +
        `${vm.name} --no-wait; handover console ${vm.name}`,
    },
  )
}

function lastWords(system: System, name: string): string {
  const lines = engine.lastWords(system, name, 8)
  return lines === ''
    ? 'its console is empty'
    : `the last lines of its console:\n${lines.replaceAll(/^/gm, '    ')}`
}

/** All memory of a guest with a device is pinned at the start, so it must be available now. */
function checkMemory(system: System, vm: VmSpec): void {
  const text = system.readText('/proc/meminfo')
  const available = text.ok ? Number(/^MemAvailable:\s+(\d+) kB/m.exec(text.value)?.[1]) / 1024 : Number.NaN
  // Huge pages are reserved already and do not count as available; QEMU reports when there are too few.
  if (vm.hugepages || Number.isNaN(available) || available >= vm.memoryMiB + 32) return
  throw new AppError(`${vm.name} needs ${vm.memoryMiB} MiB, and ${Math.floor(available)} MiB are available`, {
    help: 'give it less memory in the spec, stop another VM, or free memory on the host',
  })
}
