/**
 * Follows prompts and commands around pasted output. They show from which host the text is, and whether a
 * command that lists all IOMMU groups printed nothing. listing.ts reads the output itself.
 */

export type Shell = {
  /** The host name in the last prompt; `hosts` are all names whose output states a fact. */
  host: string | undefined
  readonly hosts: Set<string>
  /** The command that printed the current lines. */
  typed: string | undefined
  /** The current output of a command that lists every group. */
  listing: { pci: number; others: number; isOther: boolean; readonly counts: boolean } | undefined
  /** Such a list was complete and had no group, or no group with a PCI function. */
  groups: 'none' | 'none of PCI' | undefined
}

export function newShell(): Shell {
  return { host: undefined, hosts: new Set(), typed: undefined, listing: undefined, groups: undefined }
}

/** `root@box:~# …`, `[me@box ~]$ …`, `me@box ~> …`: the name of the host and the command. */
const named =
  /^[\s>]{0,40}\[?[\w.-]{1,64}@([\w-][\w.-]{0,63})(?::|\s)[^\s$#%>]{0,200}\]?\s{0,2}[$#%>](?:\s+(\S.*))?$/

/**
 * True if the line ends the output before it: a command, a prompt `user@host:~$ ` without one, or the end of
 * a code block.
 */
export function isPrompt(line: string): boolean {
  const start = line.slice(0, 400)
  return (
    /^\s*```|[$#>%]\s+\S*(?:lspci|cat|dmesg|find|ls|for|sudo)\b/.test(start) ||
    /^[\s>]{0,40}(?:[\w.-]{1,64}@[\w.-]{1,64}[:\s][^$#%>]{0,200}[$#%>](?:\s|$)|[$%]\s+[a-z./])/i.test(start)
  )
}

/** Follows prompts and the output below them. `stated`: the number of group members on this line. */
export function followShell(
  shell: Shell,
  line: string,
  stated: { readonly pci: number; readonly others: number },
): void {
  const start = line.slice(0, 400)
  // If there is no group, the shell passes the pattern itself to the loop of a script.
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

/** Notes that the output below the last prompt states a fact. */
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
 * At a prompt the output is complete. At the end of the text it may be cut off, so an empty output proves
 * nothing.
 */
export function endListing(shell: Shell, isOver: boolean): void {
  const { listing } = shell
  shell.listing = undefined
  if (!listing || listing.pci > 0) return
  if (listing.others > 0) shell.groups = 'none of PCI'
  else if (isOver && !listing.isOther) shell.groups = 'none'
}
