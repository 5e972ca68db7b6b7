/**
 * Recognises groups on a line as scripts and shell loops print them: headings, prefixes, paths below
 * /sys/kernel/iommu_groups, link targets. listing.ts decides to which device a heading applies.
 */
/** "group" as scripts say it in English, German, French, Spanish, Portuguese, Italian and Swedish. */
const word = String.raw`(?:iommu[\s_-]{0,4})?(?:group[eo]?|grupp[eo]?|grupo)(?:\s{1,4}iommu)?[\s#:=_.-]{0,8}(\d{1,6})`
const headingPattern = new RegExp(String.raw`^[^\w]{0,40}(?:pci\s{1,4})?${word}(?![\w.])(.*)$`, 'i')
const prefixPattern = new RegExp(String.raw`\b${word}(?![\w.])`, 'gi')
const suffixPattern = new RegExp(String.raw`\b${word}\W*$`, 'i')

/**
 * A line that names a group and no device: `IOMMU Group 12:`, `### group 12`, `[IOMMU GROUP 12] (2 devices)`.
 */
export function parseGroupHeading(line: string): number | undefined {
  if (line.length > 160) return undefined
  const match = headingPattern.exec(line)
  if (!match) return undefined
  const rest = (match[2] ?? '').replace(/^[^\w]+/, '')
  // Prose ("Group 12 holds my card and …") is not a heading; counts and marks are.
  return rest.split(/\s+/).length > 6 ? undefined : Number(match[1])
}

export type Prefix = { readonly group: number; readonly kind: 'word' | 'number' }

/** The group before an address on the same line: `IOMMU Group 3 `, `group=3: `, ` (3) `, `3\t`. */
export function parseGroupPrefix(before: string): Prefix | undefined {
  const text = before.slice(-400)
  let stated: string | undefined
  for (const match of text.matchAll(prefixPattern)) stated = match[1]
  if (stated !== undefined) return { group: Number(stated), kind: 'word' }
  const number = /^[\s|>#*([{-]{0,40}(\d{1,6})[\s|)\]}:;,.>=-]{1,40}(?:\[[^\]]{0,20}\][\s|]{0,40})?$/.exec(
    text,
  )?.[1]
  return number === undefined ? undefined : { group: Number(number), kind: 'number' }
}

/**
 * The group after an address or its description: `… [8086:1539] (rev 03) IOMMU group 12`, `-> 12`, or only
 * `12`.
 */
export function parseGroupSuffix(after: string): number | undefined {
  const text = after.slice(-400)
  const stated = suffixPattern.exec(text)?.[1]
  if (stated !== undefined) return Number(stated)
  const number = /^[\s:=>|,;-]{0,20}(\d{1,6})[\s|]*$/.exec(text)?.[1]
  return number === undefined ? undefined : Number(number)
}

export type Membership = { readonly member: string; readonly group: number }

/**
 * All paths `…/iommu_groups/N/devices/NAME` on a line (find, ls, globs), and links
 * `…/devices/ADDRESS/iommu_group -> …/iommu_groups/N`.
 */
export function parseGroupPaths(line: string): Membership[] {
  const found: Membership[] = []
  for (const [, group = '', member = ''] of line.matchAll(
    /iommu_groups\/(\d{1,6})\/devices\/(\w[\w.:@,+-]{0,200})/g,
  ))
    found.push({ member: member.replace(/[:.,]+$/, ''), group: Number(group) })
  if (found.length > 0) return found
  const link = /\/([\w.:@,+-]{1,200})\/iommu_group\b.{0,400}?iommu_groups\/(\d{1,6})(?!\d)/.exec(line)
  return link ? [{ member: link[1] ?? '', group: Number(link[2]) }] : []
}

/**
 * `/sys/kernel/iommu_groups/12/devices:`, which `ls` prints above a listing, and `├── 12`, which `tree`
 * prints below the folder.
 */
export function parseGroupFolder(line: string, insideTree: boolean): number | undefined {
  const folder = /iommu_groups\/(\d{1,6})(?:\/devices)?\/?:?\s*$/.exec(line)?.[1]
  if (folder !== undefined) return Number(folder)
  const branch = insideTree ? /^[\s│|]{0,40}[├└|`+][─-]{1,4}\s?(\d{1,6})\/?\s*$/.exec(line)?.[1] : undefined
  return branch === undefined ? undefined : Number(branch)
}
