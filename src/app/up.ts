/**
 * up: starts the VMs of the plan in force, each when what it needs answers, on a host that is as the plan
 * left it.
 */
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { checkVmDisks } from '../plan/outlook/vm-disks.ts'
import { viewOf } from '../plan/who/view.ts'
import { checkAssigned, up, type UpEvent } from '../run/up.ts'
import { checkFunctions } from '../run/virtual-functions.ts'
import type { Spec } from '../spec/spec.ts'
import { readInForce } from './in-force.ts'
import { readPlanningHost } from './planning-host.ts'
import { refuseUnknownVms } from './known-vms.ts'

export type UpRequest = {
  /** All of the plan when empty; what they need is started too. */
  readonly vms?: readonly string[]
  /** A spec that has to mean the same as the one applied. */
  readonly spec?: string
  /** False: a VM counts as up as soon as it runs. */
  readonly wait?: boolean
}

export async function startVms(
  system: System,
  { vms = [], spec: file, wait = true }: UpRequest,
  report: (event: UpEvent) => void,
): Promise<void> {
  const { record, spec, changed } = readInForce(system, file)
  for (const vm of changed?.vms ?? [])
    if (vms.length === 0 || vms.includes(vm)) report({ kind: 'spec-changed', vm, file: changed?.file ?? '' })
  refuseUnknownVms(vms, record.startOrder)
  const wrong = [...checkAssigned(system, record, record.startOrder), ...checkFunctions(system, spec, record)]
  if (wrong.length > 0)
    throw new AppError(
      `the host is not as the plan in force left it; nothing was started:\n  ${wrong.join('\n  ')}`,
      {
        help: 'handover plan shows what is different; handover apply puts it right',
      },
    )
  await refuseUsedDisks(system, spec)
  await up(system, { spec, record, wanted: vms, wait }, report)
}

/**
 * A block device that is a VM's disk was free when the plan was applied. The host may have begun to use it
 * since, and two owners destroy what is on it.
 */
async function refuseUsedDisks(system: System, spec: Spec): Promise<void> {
  const blocks = spec.vms.flatMap(({ disks }) => disks).filter(({ path }) => isBlockDevice(system, path))
  if (blocks.length === 0) return
  const host = await readPlanningHost(system, undefined, { spec })
  const wrong = checkVmDisks(viewOf(host, spec, undefined), []).filter(({ severity }) => severity === 'error')
  if (wrong.length === 0) return
  throw new AppError(`nothing was started: ${wrong.map(({ message }) => message).join('; ')}`, {
    help: 'end that use, or give the VM another disk and apply: handover plan',
  })
}

function isBlockDevice(system: System, path: string): boolean {
  const real = system.realPath(path)
  const stat = real.ok ? system.stat(real.value) : undefined
  return stat?.ok === true && stat.value.kind === 'other'
}
