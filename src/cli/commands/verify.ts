/** `handover verify`: asks the guests what they see and compares it with what was promised. */
import { stateFolder } from '../../apply/journal.ts'
import { AppError, exitCode, type ExitCode } from '../../base/errors.ts'
import { verifyVm, type RoleVerdict, type VmVerdict } from '../../run/verify.ts'
import type { Context, ReadingOptions } from '../context.ts'
import { readInForce } from '../in-force.ts'
import { refuseUnknownVms } from '../known-vms.ts'

export type VerifyOptions = ReadingOptions & { readonly spec?: string }

export async function runVerify(args: readonly string[], options: VerifyOptions, context: Context): Promise<ExitCode> {
  const { record, spec } = readInForce(context, options.spec)
  refuseUnknownVms(args, record.startOrder)
  const dropped = args.find((name) => !spec.vms.some((vm) => vm.name === name))
  if (dropped !== undefined)
    throw new AppError(`the plan in force knows ${dropped}, the spec does not any more`, {
      help: 'run handover plan and handover apply again',
    })
  const vms = spec.vms.filter(
    (vm) => record.startOrder.includes(vm.name) && (args.length === 0 || args.includes(vm.name)),
  )
  const verdicts: VmVerdict[] = []
  for (const vm of vms) verdicts.push(await verifyVm(context.system, record, vm))
  for (const verdict of verdicts) writeCertificate(context, verdict)
  const roles = verdicts.flatMap((verdict) => verdict.roles)
  // No role at all proves nothing: that is not a success.
  const isGood = roles.length > 0 && roles.every((role) => role.match)
  if (options.json) {
    context.out(JSON.stringify({ schema: 1, match: isGood, vms: verdicts }, null, 2))
  } else {
    for (const verdict of verdicts) printVm(verdict, context)
    const right = roles.filter((role) => role.match).length
    context.out(`${right} of ${roles.length} devices are inside their guests what was promised`)
  }
  return isGood ? exitCode.done : exitCode.errorFindings
}

/** A dated record of what was seen inside a guest: one line of JSON for each VM, the newest only. */
function writeCertificate({ system }: Context, verdict: VmVerdict): void {
  const folder = `${stateFolder}/certificates`
  system.makeFolder(folder, 0o700)
  const certificate = { schema: 1, at: system.now().toISOString(), ...verdict }
  system.writeFile(`${folder}/${verdict.vm}.json`, `${JSON.stringify(certificate)}\n`, { mode: 0o600 })
}

function printVm(verdict: VmVerdict, context: Context): void {
  const { style } = context
  context.out(`${style.bold(verdict.vm)}${verdict.report?.system === undefined ? '' : `  (${verdict.report.system})`}`)
  if (verdict.problem !== null) context.out(`  ${style.red('✗')} ${verdict.problem}`)
  for (const role of verdict.roles) printRole(role, context)
}

function printRole(role: RoleVerdict, { style, out }: Context): void {
  const seen = role.reported
  const words = seen
    ? [
        `${seen.vendorId}:${seen.deviceId}`,
        seen.driver ?? 'no driver',
        ...(seen.macs ?? []),
        ...(seen.disks ? [`disks ${seen.disks.join(', ')}`] : []),
        ...(seen.link === undefined ? [] : [seen.link ? 'link up' : 'no link']),
      ].join('  ')
    : 'not seen'
  out(
    `  ${role.match ? style.green('✓') : style.red('✗')} ${role.role.padEnd(8)} ${role.address} → ${role.guestAddress ?? '?'}  ${words}`,
  )
  for (const difference of role.differences) out(`      ${style.red(difference)}`)
}
