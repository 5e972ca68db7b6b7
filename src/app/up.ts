/**
 * up: starts the VMs of the plan in force, each when what it needs answers, on a host that is as the plan
 * left it.
 */
import { AppError } from '../base/errors.ts'
import type { JournalRecord } from '../apply/journal.ts'
import type { Given } from '../engines/engine.ts'
import type { System } from '../machine/system.ts'
import { checkVmDisks } from '../plan/outlook/vm-disks.ts'
import { viewOf } from '../plan/who/view.ts'
import {
  checkAssigned,
  checkGroups,
  functionsFor,
  leftOutOf,
  withoutLeftOut,
  type LeftOut,
} from '../run/given.ts'
import { up, type UpEvent } from '../run/up.ts'
import { checkFunctions } from '../run/virtual-functions.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import type { Difference } from '../watch/compare.ts'
import { differenceWords } from '../watch/words.ts'
import { readInForce } from './in-force.ts'
import { hasService, launchService } from './service.ts'
import { readPlanningHost } from './planning-host.ts'
import { refuseUnknownVms } from './known-vms.ts'
import { givenBy, watchStart, type Watched } from './watch.ts'

export type UpRequest = {
  /** All of the plan when empty; what they need is started too. */
  readonly vms?: readonly string[]
  /** A spec that has to mean the same as the one applied. */
  readonly spec?: string
  /** False: a VM counts as up as soon as it runs. */
  readonly wait?: boolean
  /** The caller is the service of these VMs: they are started here, and nothing that they need. */
  readonly asService?: boolean
}

export async function startVms(
  system: System,
  { vms = [], spec: file, wait = true, asService = false }: UpRequest,
  report: (event: UpEvent) => void,
): Promise<void> {
  const { record, spec, changed } = readInForce(system, file)
  for (const vm of changed?.vms ?? [])
    if (vms.length === 0 || vms.includes(vm)) report({ kind: 'spec-changed', vm, file: changed?.file ?? '' })
  refuseUnknownVms(vms, record.startOrder)
  const disks = await usedDisks(system, spec)
  const watched = await watchStart(system, givenBy(record, spec))
  reportWatch(watched, vms[0] ?? record.startOrder[0] ?? '', report)
  const check = (vm: VmSpec) => checkStart(system, { spec, record, disks, watched }, vm)
  const reportAndMark = (event: UpEvent) => {
    report(event)
    const unmarked = isUp(event, spec, wait) ? watched.started() : undefined
    if (unmarked !== undefined) report({ kind: 'unrecorded', vm: event.vm, said: unmarked })
  }
  const launch = (vm: VmSpec, given: Given) =>
    launchService(system, vm, { given, wait, report: reportAndMark })
  const isService = !asService && record.startOrder.some((name) => hasService(system, name))
  await up(
    system,
    { ...{ spec, record, wanted: vms, wait, alone: asService, check }, ...(isService ? { launch } : {}) },
    reportAndMark,
  )
}

function reportWatch({ news = [], unrecorded }: Watched, vm: string, report: (event: UpEvent) => void): void {
  if (news.length > 0) report({ kind: 'host-changed', vm, differences: news.map(differenceWords) })
  if (unrecorded !== undefined) report({ kind: 'unrecorded', vm, said: unrecorded })
}

/** A VM that is waited for is up when it answers. */
function isUp(event: UpEvent, { vms }: Spec, wait: boolean): boolean {
  const isWaitedFor = wait && vms.some(({ name, ready }) => name === event.vm && ready !== undefined)
  return event.kind === (isWaitedFor ? 'answered' : 'started')
}

type Looked = {
  readonly spec: Spec
  readonly record: JournalRecord
  readonly disks: UsedDisks
  readonly watched: Watched
}

/** What another function or VM is does not matter to this one. */
function checkStart(
  system: System,
  { spec, record, disks, watched }: Looked,
  vm: VmSpec,
): readonly LeftOut[] {
  const leftOut = withUnsafe(leftOutOf(system, record, vm), watched.unsafe(vm.name), { record, vm })
  refuseUnsafe(watched, { record, vm, leftOut })
  const rest = withoutLeftOut(record, vm, leftOut)
  const wrong = [
    ...checkAssigned(system, rest, [vm.name]),
    ...checkGroups(system, rest, vm.name),
    ...checkFunctions(system, { ...spec, vms: [vm] }, rest),
  ]
  if (wrong.length > 0)
    throw new AppError(
      `the host is not as the plan in force left it; ${vm.name} was not started:\n  ${wrong.join('\n  ')}`,
      {
        help: 'handover plan shows what is different; handover apply puts it right',
      },
    )
  const used = disks(vm)
  if (used.length === 0) return leftOut
  throw new AppError(`${vm.name} was not started: ${used.join('; ')}`, {
    help: 'end that use, or give the VM another disk and apply: handover plan',
  })
}

/** An optional device that is not safe any more is left out; its VM starts without it. */
function withUnsafe(
  leftOut: readonly LeftOut[],
  unsafe: readonly Difference[],
  { record, vm }: { readonly record: JournalRecord; readonly vm: VmSpec },
): readonly LeftOut[] {
  const optional = new Set(vm.devices.flatMap((device) => (device.optional ? [device.role] : [])))
  const more = record.assignments.flatMap(({ vm: of, role, address }): LeftOut[] => {
    const why = unsafe.filter(({ about }) => about.includes(address)).map(differenceWords)
    const isKnown = leftOut.some((one) => one.address === address)
    const isLeft = of === vm.name && optional.has(role) && why.length > 0 && !isKnown
    return isLeft ? [{ role, address, why: why.join('; ') }] : []
  })
  return [...leftOut, ...more]
}

function refuseUnsafe(
  { unsafe, unknown }: Watched,
  given: { readonly record: JournalRecord; readonly vm: VmSpec; readonly leftOut: readonly LeftOut[] },
): void {
  const { record, vm, leftOut } = given
  const rest = withoutLeftOut(record, vm, leftOut)
  const own = new Set<string>(functionsFor(rest, vm).map(({ address }) => address))
  if (unknown !== undefined && own.size > 0)
    throw keptDown(vm, record, [`what the last good boot was like is not known: ${unknown}`])
  const why = unsafe(vm.name).filter(({ about }) => about.some((address) => own.has(address)))
  if (why.length > 0) throw keptDown(vm, record, why.map(differenceWords))
}

function keptDown({ name }: VmSpec, { spec = 'home.yaml' }: JournalRecord, why: readonly string[]): AppError {
  return new AppError(
    `${name} was not started: it is not safe since the last good boot\n  ${why.join('\n  ')}`,
    {
      help: `look at it: handover check; when the host is as you want it, accept it: handover apply ${spec}`,
    },
  )
}

type UsedDisks = (vm: VmSpec) => readonly string[]

/**
 * A block device that is a VM's disk was free when the plan was applied. The host may have begun to use it
 * since, and two owners destroy what is on it.
 */
async function usedDisks(system: System, spec: Spec): Promise<UsedDisks> {
  const blocks = spec.vms.flatMap(({ disks }) => disks).filter(({ path }) => isBlockDevice(system, path))
  if (blocks.length === 0) return () => []
  const host = await readPlanningHost(system, undefined, { spec })
  return (vm) =>
    checkVmDisks(viewOf(host, { ...spec, vms: [vm] }, undefined), []).flatMap(({ severity, message }) =>
      severity === 'error' ? [message] : [],
    )
}

function isBlockDevice(system: System, path: string): boolean {
  const real = system.realPath(path)
  const stat = real.ok ? system.stat(real.value) : undefined
  return stat?.ok === true && stat.value.kind === 'other'
}
