/** `handover verify`: asks the guests what they see and compares it with what was promised. */
import { verifyDocument } from '../../api/verify.ts'
import { verify } from '../../app/verify.ts'
import { defined } from '../../base/defined.ts'
import { exitCode, type ExitCode } from '../../base/errors.ts'
import type { RoleVerdict, VmVerdict } from '../../run/verify.ts'
import type { Styler } from '../../show/text/style.ts'
import { printNext } from '../next.ts'
import { printDocument, type Context, type ReadingOptions } from '../context.ts'

export type VerifyOptions = ReadingOptions & { readonly spec?: string }

export async function runVerify(
  args: readonly string[],
  options: VerifyOptions,
  context: Context,
): Promise<ExitCode> {
  const { match, vms } = await verify(context.system, { vms: args, ...defined({ spec: options.spec }) })
  if (options.json) {
    printDocument(context, verifyDocument({ match, vms }))
  } else {
    for (const verdict of vms) printVm(verdict, context)
    const roles = vms.flatMap((verdict) => verdict.roles)
    const right = roles.filter((role) => role.match).length
    context.out(`${right} of ${roles.length} devices are inside their guests what was promised`)
    if (!match) printNext(context, [{ command: 'sudo handover status', why: 'shows what each VM said last' }])
  }
  return match ? exitCode.done : exitCode.errorFindings
}

function printVm(verdict: VmVerdict, context: Context): void {
  const { style } = context
  context.out(
    `${style.bold(verdict.vm)}${verdict.report?.system === undefined ? '' : `  (${verdict.report.system})`}`,
  )
  if (verdict.problem !== null) context.out(`  ${style.red('✗')} ${verdict.problem}`)
  for (const role of verdict.roles) printRole(role, context)
}

function markOf(match: boolean | null, style: Styler): string {
  if (match === null) return style.dim('–')
  return match ? style.green('✓') : style.red('✗')
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
    `  ${markOf(role.match, style)} ${role.role.padEnd(8)} ` +
      `${role.address} → ${role.guestAddress ?? '?'}  ${words}`,
  )
  for (const difference of role.differences) out(`      ${style.red(difference)}`)
}
