/** Advice on cards and slots, for 80 columns. Pure. */
import type { Advice, CardAdvice, SlotAdvice } from '../../advise/advise.ts'
import type { Slot } from '../../advise/slots.ts'
import { wrap } from '../../base/text.ts'
import type { Styler } from './style.ts'

type Width = { readonly style: Styler; readonly columns: number }

export function renderAdvice({ cards, freeSlots }: Advice, width: Width): string {
  const none = wrap(
    'No free slot is known: the input states no port without a device below it. A live machine or a ' +
      'capture (handover capture) states all ports.',
    width.columns,
  ).join('\n')
  const parts = cards.map((card) => renderCard(card, width))
  return `${[...parts, ...(freeSlots.length === 0 ? [none] : [])].join('\n\n')}\n`
}

function renderCard({ name, ids, ports, facts, unknown, slots }: CardAdvice, width: Width): string {
  const { style, columns } = width
  const head = [
    style.bold(name),
    ...(ids === '' ? [] : [ids]),
    ...(ports === undefined || ports === 1 ? [] : [`${ports} ports, each a function`]),
  ]
  return [
    head.join('  '),
    ...facts.flatMap(({ text, source, date }) =>
      wrap(`  ${text} ${style.dim(`(${source}, ${date})`)}`, columns, 4),
    ),
    ...unknown.flatMap((what) => wrap(`  not known here: ${what}`, columns, 4)),
    ...slots.flatMap((slot) => renderSlot(slot, width)),
  ].join('\n')
}

function renderSlot({ slot, fit, portsApart, confidence, with: mates }: SlotAdvice, width: Width): string[] {
  const { style, columns } = width
  const sure = confidence === undefined ? '' : `, confidence ${confidence}`
  const apart = portsApart === false ? '; its ports leave together' : ''
  const shown = mates.slice(0, 4).map(({ address, name, need }) => {
    const words = need === undefined ? '' : ` (the host needs it: ${need})`
    return `${address} ${name}${words}`
  })
  const more = mates.length > 4 ? ` and ${mates.length - 4} more` : ''
  const words = {
    good: `${style.green('✓')} a group of its own${apart}${sure}`,
    shared: `${style.yellow('!')} shares its group with ${shown.join(', ')}${more}${apart}${sure}`,
    bad: `${style.red('✗')} shares its group with ${shown.join(', ')}${more}${sure}`,
    unknown: `${style.yellow('?')} the input carries no configuration space, so its group is not known`,
  }[fit]
  return wrap(`  ${slotWords(slot)}  ${words}`, columns, 4)
}

function slotWords({ port, physicalSlot, width }: Slot): string {
  const parts = [
    ...(physicalSlot === undefined ? [] : [`slot ${physicalSlot}`]),
    ...(width === undefined ? [] : [`x${width}`]),
  ]
  return `below ${port}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`
}
