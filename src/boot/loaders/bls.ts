/**
 * Entries of the Boot Loader Specification (`loader/entries/*.conf`), with lines such as `title Debian` and
 * `options root=… quiet`. Only `options` lines are changed; everything else keeps its bytes, also
 * `$kernelopts` of Fedora.
 */
import { addArg, formatCmdline, hasArg, parseCmdline, removeArg } from '../cmdline.ts'

const optionsLine = /^([ \t]*options[ \t]+)([^\n]*)$/

/** `tail` has the blanks or a carriage return after the arguments. Undefined when it is another line. */
function splitOptions(
  line: string,
): { readonly head: string; readonly options: string; readonly tail: string } | undefined {
  const match = optionsLine.exec(line)
  if (!match) return undefined
  const [, head = '', rest = ''] = match
  const options = rest.trimEnd()
  return { head, options, tail: rest.slice(options.length) }
}

/** The loader joins the `options` lines of an entry. */
function entryOptions(text: string): string {
  return text
    .split('\n')
    .map((line) => splitOptions(line)?.options)
    .filter((options) => options !== undefined)
    .join(' ')
}

/** Adds the argument to the last `options` line, or as a new line when the entry has none. */
export function addEntryArg(text: string, raw: string): string {
  if (hasArg(parseCmdline(entryOptions(text)), raw)) return text
  const lines = text.split('\n')
  const at = lines.findLastIndex((line) => splitOptions(line) !== undefined)
  const found = splitOptions(lines[at] ?? '')
  if (!found) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}options ${raw}\n`
  const { head, options, tail } = found
  lines[at] = head + formatCmdline(addArg(parseCmdline(options), raw)) + tail
  return lines.join('\n')
}

export function removeEntryArg(text: string, raw: string): string {
  const lines = text.split('\n').map((line) => {
    const found = splitOptions(line)
    if (!found) return line
    const { head, options, tail } = found
    return head + formatCmdline(removeArg(parseCmdline(options), raw)) + tail
  })
  return lines.join('\n')
}

export type Entry = {
  readonly version: string | undefined
  readonly sortKey: string | undefined
  readonly linux: string | undefined
  readonly initrds: readonly string[]
  readonly options: string
}

/** The paths are relative to the entry's partition. */
export function readEntry(text: string): Entry {
  const values = (key: string) =>
    text
      .split('\n')
      .map((line) => new RegExp(`^[ \\t]*${key}[ \\t]+([^\\n]*)$`).exec(line)?.[1]?.trim())
      .filter((value) => value !== undefined && value !== '') as string[]
  return {
    version: values('version')[0],
    sortKey: values('sort-key')[0],
    linux: values('linux')[0],
    initrds: values('initrd').flatMap((line) => line.split(/[ \t]+/)),
    options: entryOptions(text),
  }
}

/**
 * `TOKEN-6.1.0+3-1.conf`: boot counting writes the tries left and the tries done after a plus sign
 * (systemd-boot(7)).
 */
const counter = /\+(\d+)(?:-\d+)?(?=\.(?:conf|efi)$)/i

/** The name of an entry's file without its counter, in lower case as in the loader. */
export function entryId(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(counter, '')
    .toLowerCase()
}

/** Undefined when boot counting is not used for this entry. */
export function triesLeft(path: string): number | undefined {
  const match = counter.exec(path)
  return match ? Number(match[1]) : undefined
}
