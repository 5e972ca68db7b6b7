/** What a host has by use, and what `init` proposes, for 80 columns. Pure. */
import { wrap } from '../../base/text.ts'
import type { ByUse, UsedDevice } from '../../init/by-use.ts'
import type { Proposal, Proposed, Refused } from '../../init/propose.ts'
import type { Styler } from './style.ts'

type Width = { readonly style: Styler; readonly columns: number }

export function renderUses(uses: readonly ByUse[], { style, columns }: Width): string {
  if (uses.length === 0)
    return 'this host shows no network port, disk controller, graphics card or USB controller'
  return uses
    .map(({ use, devices }) =>
      [style.bold(use), ...devices.flatMap((device) => deviceLines(device, { style, columns }))].join('\n'),
    )
    .join('\n\n')
}

function deviceLines({ address, name, verdict, now }: UsedDevice, { style, columns }: Width): string[] {
  const colour = verdict === 'refused' ? style.red : verdict === 'unknown' ? style.yellow : style.green
  return [
    ...wrap(`  ${address}  ${name}`, columns, 16),
    ...wrap(`    ${now}`, columns, 4).map((line) => colour(line)),
  ]
}

export function renderProposal({ assignments, refused }: Proposal, width: Width): string {
  const vms = [...new Set(assignments.map(({ vm }) => vm))]
  const parts = [
    ...vms.map((vm) =>
      renderVm(
        vm,
        assignments.filter((one) => one.vm === vm),
        width,
      ),
    ),
    ...refused.map((one) => renderRefused(one, width)),
  ]
  return parts.join('\n\n')
}

function renderVm(vm: string, assignments: readonly Proposed[], { style, columns }: Width): string {
  const lines = assignments.flatMap(({ role, address, why, onlyIf = [] }) => [
    ...wrap(`  ${role.padEnd(6)}  ${address}  ${why}`, columns, 10),
    ...onlyIf.flatMap((condition) => wrap(`          only if ${condition}`, columns, 10)),
  ])
  return [style.bold(vm), ...lines].join('\n')
}

const most = 6

function renderRefused({ wish, reasons }: Refused, { style, columns }: Width): string {
  const shown = reasons
    .slice(0, most)
    .flatMap(({ message, help }) => [
      ...wrap(`  ${message}`, columns, 4),
      ...(help === undefined ? [] : wrap(`    help: ${help}`, columns, 6)),
    ])
  const more =
    reasons.length > most ? [`  and ${reasons.length - most} more reasons (all of them: --json)`] : []
  return [style.bold(style.red(`${wish}: not here`)), ...shown, ...more].join('\n')
}
