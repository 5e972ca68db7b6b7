/**
 * Boot Loader Specification entries (`loader/entries/*.conf`), line by line: `title Debian`, `options root=… quiet`.
 * Only `options` lines are changed; everything else keeps its bytes. Fedora's `options $kernelopts` is left alone.
 */
import { addArg, formatCmdline, hasArg, parseCmdline, removeArg } from './cmdline.ts'

const optionsLine = /^(options[ \t]+)(.*?)([ \t]*\r?)$/

/** All kernel arguments of an entry; several `options` lines are joined by the loader. */
export function entryOptions(text: string): string {
  return text
    .split('\n')
    .map((line) => optionsLine.exec(line)?.[2])
    .filter((options) => options !== undefined)
    .join(' ')
}

/** Adds to the last `options` line; a new line when the entry has none. */
export function addEntryArg(text: string, raw: string): string {
  if (hasArg(parseCmdline(entryOptions(text)), raw)) return text
  const lines = text.split('\n')
  const at = lines.findLastIndex((line) => optionsLine.test(line))
  const match = optionsLine.exec(lines[at] ?? '')
  if (!match) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}options ${raw}\n`
  const [, head = '', options = '', tail = ''] = match
  lines[at] = head + formatCmdline(addArg(parseCmdline(options), raw)) + tail
  return lines.join('\n')
}

export function removeEntryArg(text: string, raw: string): string {
  const lines = text.split('\n').map((line) => {
    const match = optionsLine.exec(line)
    if (!match) return line
    const [, head = '', options = '', tail = ''] = match
    return head + formatCmdline(removeArg(parseCmdline(options), raw)) + tail
  })
  return lines.join('\n')
}

/** `/etc/kernel/cmdline` is one line (Proxmox reads only the first); its end is kept as it is. */
export function addKernelCmdlineArg(text: string, raw: string): string {
  const { line, rest } = firstLine(text)
  return formatCmdline(addArg(parseCmdline(line), raw)) + rest
}

export function removeKernelCmdlineArg(text: string, raw: string): string {
  const { line, rest } = firstLine(text)
  return formatCmdline(removeArg(parseCmdline(line), raw)) + rest
}

function firstLine(text: string): { readonly line: string; readonly rest: string } {
  const end = text.indexOf('\n')
  return end < 0 ? { line: text, rest: '' } : { line: text.slice(0, end), rest: text.slice(end) }
}
