/**
 * Prompts and commands around pasted output: whose machine a text is of, and whether a list of all IOMMU
 * groups was asked for and came back empty. It owns what a command line means; the output is read by
 * listing.ts.
 */

export type Shell = {
  /** The host name in the last prompt, and all under which something was stated. */
  host: string | undefined
  readonly hosts: Set<string>
  /** The command whose output goes by. */
  typed: string | undefined
  /** Output of a command that lists every group, while it goes by. */
  listing: { pci: number; others: number; isOther: boolean; readonly counts: boolean } | undefined
  /** Such a list was whole and had no group, or none of a PCI function. */
  groups: 'none' | 'none of PCI' | undefined
}

export function newShell(): Shell {
  return { host: undefined, hosts: new Set(), typed: undefined, listing: undefined, groups: undefined }
}

/** `root@box:~# …`, `[me@box ~]$ …`, `me@box ~> …`: the host's name and what was typed. */
const named =
  /^[\s>]{0,40}\[?[\w.-]{1,64}@([\w-][\w.-]{0,63})(?::|\s)[^\s$#%>]{0,200}\]?\s{0,2}[$#%>](?:\s+(\S.*))?$/

/**
 * True for a line that ends what came before: a command being typed, `user@host:~$ ` without one, or the end
 * of a code block.
 */
export function isPrompt(line: string): boolean {
  const start = line.slice(0, 400)
  return (
    /^\s*```|[$#>%]\s+\S*(?:lspci|cat|dmesg|find|ls|for|sudo)\b/.test(start) ||
    /^[\s>]{0,40}(?:[\w.-]{1,64}@[\w.-]{1,64}[:\s][^$#%>]{0,200}[$#%>](?:\s|$)|[$%]\s+[a-z./])/i.test(start)
  )
}

/** Follows prompts and what is printed below them. `stated`: what this line stated of groups. */
export function followShell(
  shell: Shell,
  line: string,
  stated: { readonly pci: number; readonly others: number },
): void {
  const start = line.slice(0, 400)
  // Scripts loop over names that the shell leaves as they are when there is none.
  if (/^[\s>]{0,40}IOMMU Group \*/i.test(start)) shell.groups ??= 'none'
  if (!/[`$#%>]/.test(start) || !isPrompt(line)) {
    if (shell.listing) watch(shell.listing, start, stated)
    return
  }
  endListing(shell, true)
  const prompt = named.exec(start)
  // `box` and `box.example` are one host.
  if (prompt) shell.host = (prompt[1] ?? '').toLowerCase().split('.')[0]
  const command = prompt ? prompt[2] : /^[\s>]{0,40}[$#%]\s+(\S.*)$/.exec(start)?.[1]
  shell.typed = command?.trim()
  if (command !== undefined && listsEveryGroup(command.trim())) {
    shell.listing = { pci: 0, others: 0, isOther: false, counts: /wc -l/.test(command) }
  }
}

/** Something was stated below the last prompt. */
export function noteHost(shell: Shell): void {
  if (shell.host !== undefined && shell.hosts.size < 16) shell.hosts.add(shell.host)
}

function listsEveryGroup(command: string): boolean {
  return (
    /^(?:sudo )?find \/sys\/kernel\/iommu_groups\/? -type l(?: 2>\s?\S+)?(?: ?\| ?sort[ \w.,/-]{0,40})?(?: ?\| ?wc -l)?;?$/.test(
      command,
    ) || /^(?:sudo )?ls(?: -[1AalF]{1,6})? \/sys\/kernel\/iommu_groups\/?(?: ?\| ?wc -l)?;?$/.test(command)
  )
}

function watch(
  listing: NonNullable<Shell['listing']>,
  line: string,
  { pci, others }: { readonly pci: number; readonly others: number },
): void {
  listing.pci += pci
  listing.others += others
  const isEmptyOutput =
    (listing.counts ? /^\s*0\s*$/ : /^\s*(?:total 0)?\s*$/).test(line) ||
    /iommu_groups.{0,8}: No such file or directory\s*$/.test(line)
  if (pci + others === 0 && !isEmptyOutput) listing.isOther = true
}

/**
 * At a prompt the output is over; at the end of the text it may have been cut, so that an empty one says
 * nothing.
 */
export function endListing(shell: Shell, isOver: boolean): void {
  const { listing } = shell
  shell.listing = undefined
  if (!listing || listing.pci > 0) return
  if (listing.others > 0) shell.groups = 'none of PCI'
  else if (isOver && !listing.isOther) shell.groups = 'none'
}
