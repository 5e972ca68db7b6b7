/** verify: asks the guests what they see, compares it with what was promised, and writes it down. */
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { verifyVm, type VmVerdict } from '../run/verify.ts'
import { writeCertificate } from './certificates.ts'
import { readInForce } from './in-force.ts'
import { refuseUnknownVms } from './known-vms.ts'

export type VerifyRequest = {
  /** All of the plan when empty. */
  readonly vms?: readonly string[]
  /** A spec that has to mean the same as the one applied. */
  readonly spec?: string
}

export type Verification = { readonly match: boolean; readonly vms: readonly VmVerdict[] }

export async function verify(
  system: System,
  { vms = [], spec: file }: VerifyRequest = {},
): Promise<Verification> {
  const { record, spec } = readInForce(system, file)
  refuseUnknownVms(vms, record.startOrder)
  const dropped = vms.find((name) => !spec.vms.some((vm) => vm.name === name))
  if (dropped !== undefined)
    throw new AppError(`the plan in force has ${dropped}, the spec no longer has it`, {
      help: 'run handover plan and handover apply again',
    })
  const chosen = spec.vms.filter(
    ({ name }) => record.startOrder.includes(name) && (vms.length === 0 || vms.includes(name)),
  )
  const verdicts: VmVerdict[] = []
  for (const vm of chosen) verdicts.push(await verifyVm(system, record, vm))
  for (const verdict of verdicts) writeCertificate(system, verdict)
  const roles = verdicts.flatMap((verdict) => verdict.roles)
  // No role at all proves nothing: that is not a success.
  return {
    match: roles.some(({ match }) => match === true) && roles.every(({ match }) => match !== false),
    vms: verdicts,
  }
}
