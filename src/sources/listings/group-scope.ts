/**
 * Finds the group of a listed function from the text around it: a group on its own line, or a heading above.
 * This file decides how far a heading reaches; group-lines.ts recognises headings and prefixes.
 */
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import { parseGroupPrefix, parseGroupSuffix } from './group-lines.ts'
import type { HeaderLine } from './lspci-header.ts'

type Heading = {
  readonly group: number
  /**
   * The indentation of the first function below the heading. If the group is printed before a function, one
   * more than the indentation of that line.
   */
  indent: number | undefined
  /** An empty line followed the last function. */
  gap: boolean
  last: PciAddress | undefined
}

export type GroupScope = {
  heading: Heading | undefined
  /** The line is below `/sys/kernel/iommu_groups` in the output of `tree`. */
  insideTree: boolean
  /** Functions after a bare number, which is a group or a line number. */
  readonly numbered: { readonly address: PciAddress; readonly number: number }[]
}

export function newScope(): GroupScope {
  return { heading: undefined, insideTree: false, numbered: [] }
}

export function openHeading(scope: GroupScope, group: number): void {
  scope.heading = { group, indent: undefined, gap: false, last: undefined }
}

export type ListedFunction = {
  readonly header: HeaderLine
  readonly line: string
  /** The line is lspci's line of this function, and not any line with an address in it. */
  readonly isListed: boolean
  /** The group that an earlier line gave. */
  readonly already: number | undefined
  /** The previous function has details, so an empty line ends its entry and not the listing. */
  readonly afterDetails: boolean
}

export function groupFor(scope: GroupScope, listed: ListedFunction): number | undefined {
  const { header, line } = listed
  const prefix = parseGroupPrefix(header.before)
  const indent = indentOf(line)
  if (prefix?.kind === 'word') {
    // Some loops print the group only once: `IOMMU Group 4 00:1c.0 …`, and indented below it `02:00.0 …`.
    scope.heading = { group: prefix.group, indent: indent + 1, gap: false, last: header.address }
    return prefix.group
  }
  const { heading } = scope
  if (prefix?.kind === 'number') {
    if (heading?.group === prefix.group) return prefix.group
    if (!heading) scope.numbered.push({ address: header.address, number: prefix.group })
    return undefined
  }
  if (!heading) {
    const isAlone = header.shape === 'bare' ? isMarks(header.before) : header.vendorId !== undefined
    return isAlone ? parseGroupSuffix(header.after) : undefined
  }
  if (!listed.isListed && !isBareMember(header)) return undefined
  return reaches(scope, heading, listed, indent) ? heading.group : undefined
}

/**
 * Whether the text has only indentation, quotes, list marks, the branches of `tree`, and marks such as
 * `[RESET]`.
 */
export function isMarks(before: string): boolean {
  return /^[\s>#*|;•·│├└─`+-]*(?:\[[^\]]{1,12}\]\s*)*$/.test(before)
}

/** `[R]` or `[RESET]` before the address: the function has a reset file. */
export function hasResetMark(before: string): boolean {
  return /\[(?:R|RESET)\]/.test(before)
}

/**
 * Whether the line has one or several addresses, an address with a link's target, or the start of a
 * description, as opposed to an address in a sentence.
 */
function isBareMember(header: HeaderLine): boolean {
  return isMarks(header.before) || /^l[rwx-]{9}\S? /.test(header.before.trimStart())
}

function reaches(scope: GroupScope, heading: Heading, listed: ListedFunction, indent: number): boolean {
  const { header, already } = listed
  const first = heading.indent === undefined
  heading.indent ??= indent
  // If another group follows right below its heading, this is a second listing. If a function further down
  // already has a group, it belongs to another list.
  const goesBack = heading.last !== undefined && compareAddresses(header.address, heading.last) <= 0
  const isElsewhere =
    already !== undefined && already !== heading.group && !first && (heading.gap || goesBack)
  const isFurtherOut = indent < heading.indent && (heading.gap || header.before.trim() === '')
  const startsOver = heading.gap && goesBack
  const isNewList = heading.gap && !first && indent === 0 && !listed.afterDetails
  if (isElsewhere || isFurtherOut || startsOver || isNewList) {
    scope.heading = undefined
    return false
  }
  heading.gap = false
  heading.last = header.address
  return true
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** A number before an address is the group, unless the numbers count the lines (`cat -n`, `nl`). */
export function settleNumbers(
  scope: GroupScope,
): readonly { readonly address: PciAddress; readonly number: number }[] {
  const { numbered } = scope
  const first = numbered[0]?.number ?? 0
  const counts =
    first > 0 && numbered.length > 1 && numbered.every(({ number }, index) => number === first + index)
  return counts ? [] : numbered
}
