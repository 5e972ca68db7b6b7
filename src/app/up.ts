/**
 * up: starts the VMs of the plan in force, each when what it needs answers, on a host that is as the plan
 * left it.
 */
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { checkAssigned, up, type UpEvent } from '../run/up.ts'
import { checkFunctions } from '../run/virtual-functions.ts'
import { readInForce } from './in-force.ts'
import { refuseUnknownVms } from './known-vms.ts'

export type UpRequest = {
  /** All of the plan when empty; what they need is started too. */
  readonly vms?: readonly string[]
  /** Another spec than the one applied. */
  readonly spec?: string
  /** False: a VM counts as up as soon as it runs. */
  readonly wait?: boolean
}

export async function startVms(
  system: System,
  { vms = [], spec: file, wait = true }: UpRequest,
  report: (event: UpEvent) => void,
): Promise<void> {
  const { record, spec } = readInForce(system, file)
  refuseUnknownVms(vms, record.startOrder)
  const wrong = [...checkAssigned(system, record, record.startOrder), ...checkFunctions(system, spec, record)]
  if (wrong.length > 0)
    throw new AppError(
      `the host is not as the plan in force left it; nothing was started:\n  ${wrong.join('\n  ')}`,
      {
        help: 'handover plan shows what is different; handover apply puts it right',
      },
    )
  await up(system, { spec, record, wanted: vms, wait }, report)
}
