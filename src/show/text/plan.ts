/**
 * A plan as text, for 80 columns: per VM what it gets and why, what stays, every change as before → after.
 * Pure.
 */
import { classWord } from '../../pci/class-code.ts'
import { listAll, wrap } from '../../base/text.ts'
import { formatSize } from '../../base/size.ts'
import type { Host } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import { deviceClass } from '../../pci/device.ts'
import { layoutOf, type Layout } from '../../plan/who/cards.ts'
import { kindOf, purposeOf, type Step } from '../../steps/step.ts'
import { servedBy } from '../../plan/outlook/outage.ts'
import type { Plan } from '../../plan/types.ts'
import { nameOf, portWords, yamlList } from '../../plan/words.ts'
import type { Spec, VmSpec } from '../../spec/spec.ts'
import { renderDiff } from './plan-diff.ts'
import type { Styler } from './style.ts'

type Drawing = {
  readonly plan: Plan
  readonly host: Host
  readonly layout: Layout
  readonly style: Styler
  readonly columns: number
  /** Whole texts of new and removed files; else their first lines. */
  readonly full: boolean
}

type Width = Pick<Drawing, 'style' | 'columns' | 'full'>

export function renderPlan(
  plan: Plan,
  given: {
    readonly host: Host
    readonly spec: Spec
    readonly style: Styler
    readonly columns: number
    readonly full?: boolean
  },
): string {
  const drawing: Drawing = {
    plan,
    host: given.host,
    layout: layoutOf(given.host),
    style: given.style,
    columns: given.columns,
    full: given.full === true,
  }
  const parts = [
    ...given.spec.vms.map((vm) => renderVm(vm, drawing)),
    renderSpare(drawing),
    renderStaying(drawing),
    renderConcessions(drawing),
    renderMemory(drawing),
    renderOutage(drawing),
    renderSteps(drawing),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function renderVm(vm: VmSpec, { plan, layout, style, columns }: Drawing): string {
  const head = [`${vm.cpus} cpu${vm.cpus === 1 ? '' : 's'}`, formatSize(vm.memoryMiB), vm.firmware]
  if (vm.needs.length > 0) head.push(`after ${listAll(vm.needs)}`)
  const lines = [`${style.bold(vm.name)}  ${style.dim(head.join(' · '))}`]
  const width = Math.max(4, ...vm.devices.map(({ role }) => role.length))
  for (const { role, optional } of vm.devices) {
    const given = plan.assignments.find((a) => a.vm === vm.name && a.role === role)
    const words = given
      ? sayDevice(given.address, layout)
      : optional
        ? style.dim('no device: it is optional')
        : style.red('no device')
    lines.push(...wrap(`  ${role.padEnd(width)}  ${words}`, columns, width + 4 + 14))
    if (given?.moved)
      lines.push(
        ...wrap(`  ${''.padEnd(width)}  moved: ${given.moved.from} → ${given.moved.to}`, columns, width + 11),
      )
    lines.push(...sayConditions(given?.onlyIf, { width, columns }))
  }
  for (const { address, because, onlyIf } of plan.takenAlong.filter((taken) => taken.vm === vm.name))
    lines.push(
      ...wrap(
        `  ${'+'.padEnd(width)}  ${sayDevice(address, layout)}, goes along: ${because}`,
        columns,
        width + 4 + 14,
      ),
      ...sayConditions(onlyIf, { width, columns }),
    )
  if (vm.devices.length === 0) lines.push(`  ${style.dim('no real devices')}`)
  return lines.join('\n')
}

/** `only if the host does not use it for its network`. */
function sayConditions(
  onlyIf: readonly string[] | undefined,
  { width, columns }: { readonly width: number; readonly columns: number },
): string[] {
  if (onlyIf === undefined) return []
  return wrap(`  ${''.padEnd(width)}  only if ${listAll(onlyIf)}`, columns, width + 12)
}

/** `0000:05:00.0  82574L Gigabit Network Connection, port 1 of 2, group 13`. */
function sayDevice(address: PciAddress, layout: Layout): string {
  const group = layout.groupOf.get(address)
  const parts = [
    nameOf(layout.devices.get(address)),
    portWords(address, layout),
    group === undefined ? '' : `group ${group}`,
  ]
  return `${address}  ${parts.filter((part) => part !== '').join(', ')}`
}

function renderSpare({ plan, layout, style, columns }: Drawing): string {
  if (plan.spare.length === 0) return ''
  const kinds = new Map<string, PciAddress[]>()
  for (const address of plan.spare) {
    const device = layout.devices.get(address)
    const kind = device ? classWord(deviceClass(device)) : 'device'
    kinds.set(kind, [...(kinds.get(kind) ?? []), address])
  }
  const lines = [...kinds].flatMap(([kind, addresses]) =>
    wrap(
      `  ${addresses.length} ${kind}${addresses.length === 1 ? '' : 's'}: ${addresses.join(', ')}`,
      columns,
      4,
    ),
  )
  return [style.bold('Spare'), ...lines].join('\n')
}

function renderStaying({ plan, layout, style, columns }: Drawing): string {
  if (plan.staying.length === 0) return ''
  const lines = plan.staying.flatMap(({ address, because }) =>
    wrap(`  ${address}  ${nameOf(layout.devices.get(address))}: ${because}`, columns, 16),
  )
  return [style.bold('Stays with the host'), ...lines].join('\n')
}

/** What `apply` asks for by name. */
function renderConcessions({ plan, style, columns }: Drawing): string {
  const concessions = plan.concessions ?? []
  if (concessions.length === 0) return ''
  const lines = concessions.flatMap(({ address, name, what }) =>
    wrap(`  ${name}  ${address}: ${what}`, columns, 4),
  )
  const how =
    `  Name them in the spec, host: { give-up: ${yamlList(concessions.map(({ name }) => name))} }, or type ` +
    'each name when apply asks.'
  return [style.bold('In use, and given up by name'), ...lines, ...wrap(style.dim(how), columns, 2)].join(
    '\n',
  )
}

function renderMemory({ plan, style }: Drawing): string {
  const { pinnedMiB, hostTotalMiB } = plan.memory
  if (pinnedMiB === 0) return ''
  const of = hostTotalMiB === null ? '' : ` of ${formatSize(hostTotalMiB)}`
  return `${style.bold('Memory')}  ${formatSize(pinnedMiB)}${of} pinned by guests with real devices`
}

/** `internet and films are gone until firewall, then media are back`, one line per VM. */
function renderOutage({ plan, style, columns }: Drawing): string {
  const steps = plan.outage ?? []
  if (!steps.some((step) => step.serves.length + step.needs.length > 0 || !step.autostart)) return ''
  const lines = steps.map((step, i) => {
    const parts = [`${i + 1}. ${step.vm}`]
    if (step.serves.length > 0) parts.push(`brings back ${listAll(servedBy([step]))}`)
    if (step.needs.length > 0) parts.push(`waits for ${listAll(step.needs)}`)
    if (step.withinSeconds !== null) parts.push(`ready within ${step.withinSeconds} s`)
    if (!step.autostart) parts.push('only when started by hand')
    return wrap(`  ${parts.join(', ')}`, columns, 5)
  })
  const served = servedBy(steps)
  // Where nothing starts them, a promise that they come back would be false.
  const byHand = plan.findings.some(({ code }) => code === 'not-started')
  const head =
    served.length === 0
      ? `After a reboot of this host ${byHand ? 'handover up starts the VMs' : 'the VMs come back'} ` +
        'in this order'
      : `When this host reboots, ${listAll(served)} ${served.length > 1 ? 'are' : 'is'} gone; ` +
        (byHand
          ? `handover up brings ${served.length > 1 ? 'them' : 'it'} back in this order`
          : 'back in this order')
  return [...wrap(style.bold(head), columns, 2), ...lines.flat()].join('\n')
}

function renderSteps({ plan, layout, style, columns, full }: Drawing): string {
  if (plan.findings.some((finding) => finding.severity === 'error'))
    return style.bold('No changes: the errors come first.')
  if (plan.conditional === true) return renderConditional({ style, columns })
  if (plan.steps.length === 0)
    return style.bold(
      plan.needsReboot
        ? 'No changes: the host is prepared, and waits for a reboot.'
        : 'No changes: the host is already as planned.',
    )
  const head =
    `${plan.steps.length} ` +
    `change${plan.steps.length === 1 ? '' : 's'}${plan.needsReboot ? ', and a reboot' : ''}`
  const then =
    plan.needsReboot && !plan.steps.some((step) => step.kind === 'driver') && plan.assignments.length > 0
  const isTrial = plan.steps.some((step) => purposeOf(step) === 'trial')
  const after = isTrial
    ? ['  That boot is a trial: handover confirm keeps it, else the host goes back.']
    : then
      ? ['  After the reboot run the plan again: the devices follow then.']
      : []
  return [
    style.bold(head),
    ...plan.steps.flatMap((step) => renderStep(step, layout, { style, columns, full })),
    ...after,
  ].join('\n')
}

function renderConditional({ style, columns }: Pick<Drawing, 'style' | 'columns'>): string {
  const what =
    '  The input does not say what the host uses. Run handover plan on the machine itself, or make a ' +
    'capture there (handover capture -o FILE) and plan from it: handover plan SPEC --from FILE.'
  return [style.bold('No changes: this plan is conditional.'), ...wrap(what, columns, 2)].join('\n')
}

/** One step, as lines: what it is about, then before → after. Whole texts are shown as a diff. */
function renderStep(step: Step, layout: Layout, { style, columns, full }: Width): string[] {
  const kind = kindOf(step)
  const address = kind.takes?.(step)
  const isStated = address === undefined || layout.devices.get(address)?.driver !== undefined
  const why = address === undefined ? `(${step.why})` : style.dim(`(${step.why})`)
  const lines = wrap(`  ${kind.planned(step, isStated)}  ${why}`, columns, address === undefined ? 4 : 16)
  const texts = kind.texts?.(step)
  if (texts === undefined) return lines
  const diff = renderDiff(texts.before ?? '', texts.after ?? '', style)
  return [...lines, ...(full ? diff : cutWhole(texts, diff, style))]
}

/**
 * A file that comes or goes whole is shown by its beginning: a script of a hundred lines hides the rest of a
 * plan.
 */
function cutWhole(
  { before, after }: { readonly before: string | null; readonly after: string | null },
  lines: readonly string[],
  style: Styler,
): readonly string[] {
  const isWhole = before === null || after === null
  if (!isWhole || lines.length <= 14) return lines
  const more = `… ${lines.length - 7} more lines (all of them: --full)`
  return [...lines.slice(0, 7), `    ${style.dim(more)}`]
}
