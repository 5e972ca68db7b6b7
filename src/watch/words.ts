/** The words of a difference between two boots, on one line. */
import { listAll, listText } from '../base/text.ts'
import type { Difference, Member } from './compare.ts'
import type { Prediction } from './prediction.ts'

export function differenceWords(difference: Difference): string {
  const { kind, about, before = [], after = [] } = difference
  const at = listText(about)
  const [then, now] = [before.join(', '), after.join(', ')]
  switch (kind) {
    case 'kernel':
      return `kernel: ${then} → ${now}`
    case 'arguments':
      return argumentWords(before, after)
    case 'firmware':
      return `firmware: ${before.join(' ')} → ${after.join(' ')}`
    case 'qemu':
      return `QEMU: ${then} → ${now}`
    case 'missing':
      return `${at}: the device is not there any more (${then})`
    case 'device':
      return `${at}: another device stands there now: ${now}; before: ${then}`
    case 'place':
      return `${at}: the device is in another place: ${then} → ${now}`
    case 'group':
      return groupWords(difference)
    case 'reset':
      return `${at}: reset: ${then} → ${now}`
    case 'driver':
      return `${at}: driver: ${then} → ${now}`
    case 'link':
      return `${at}: link: ${before.join(' ')} → ${after.join(' ')}`
  }
}

function argumentWords(before: readonly string[], after: readonly string[]): string {
  if (before.length > 0 && before.toSorted().join('\n') === after.toSorted().join('\n'))
    return `kernel arguments: in another order: ${after.join(' ')}`
  const gone = before.length === 0 ? [] : [`without ${before.join(' ')}`]
  const come = after.length === 0 ? [] : [`with ${after.join(' ')}`]
  return `kernel arguments: ${[...gone, ...come].join('; ')}`
}

function groupWords({ about, before = [], after, inTheWay = [] }: Difference): string {
  const of = `the IOMMU group of ${listText(about)}`
  if (after === undefined) return `${listText(about)}: there is no IOMMU group any more`
  const blocking = new Set(inTheWay.map(({ name }) => name))
  const free = after.filter((name) => !before.includes(name) && !blocking.has(name))
  const gone = before.filter((name) => !after.includes(name))
  const parts = [
    ...inTheWay.map((member) => memberWords(member, before.includes(member.name))),
    ...(free.length === 0 ? [] : [`gained ${listText(free)}, which nothing else uses`]),
    ...(gone.length === 0 ? [] : [`lost ${listText(gone)}`]),
  ]
  return `${of} ${parts.join('; it ')}`
}

function memberWords({ name, use }: Member, isOld: boolean): string {
  const has = `${isOld ? 'has' : 'gained'} ${name}, `
  const now = isOld ? ' now' : ''
  switch (use.kind) {
    case 'host':
      return `${has}which the host uses${now} (${listAll(use.for)})`
    case 'vm':
      return `${has}which ${use.vm} has${now}`
    case 'unknown':
      return `${has}and whether the host uses it is not known (${listAll(use.why)})`
    case 'free':
      return `${has}which nothing uses`
  }
}

export function predictionWords({ kind, about, before, after, confidence }: Prediction): string {
  const may = confidence === 'low' ? 'may change' : 'changes'
  const [then, now] = [before, after].map((words) => words.join(', ') || 'none')
  const what = kind === 'group' ? `the IOMMU group of ${listText(about)}` : `the reset of ${listText(about)}`
  return `${what} ${may}: ${then} → ${now}`
}
