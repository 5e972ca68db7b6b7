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
import { checkAssigned, checkGroups, leftOutOf, withoutLeftOut, type LeftOut } from '../run/given.ts'
import { up, type UpEvent } from '../run/up.ts'
import { checkFunctions } from '../run/virtual-functions.ts'
import type { Spec, VmSpec } from '../spec/spec.ts'
import { readInForce } from './in-force.ts'
import { hasService, launchService } from './service.ts'
import { readPlanningHost } from './planning-host.ts'
import { refuseUnknownVms } from './known-vms.ts'

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
  const check = (vm: VmSpec) => checkStart(system, { spec, record, disks }, vm)
  const launch = (vm: VmSpec, given: Given) => launchService(system, vm, { given, wait, report })
  const isService = !asService && record.startOrder.some((name) => hasService(system, name))
  await up(
    system,
    { ...{ spec, record, wanted: vms, wait, alone: asService, check }, ...(isService ? { launch } : {}) },
    report,
  )
}

type Looked = { readonly spec: Spec; readonly record: JournalRecord; readonly disks: UsedDisks }

/** What another function or VM is does not matter to this one. */
function checkStart(system: System, { spec, record, disks }: Looked, vm: VmSpec): readonly LeftOut[] {
  const leftOut = leftOutOf(system, record, vm)
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
