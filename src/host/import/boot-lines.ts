/**
 * Boot configuration that is pasted beside a listing: what `cat /proc/cmdline` printed, GRUB's variables, the append lines of
 * syslinux (Unraid), options of kernel modules. A command line is what the kernel runs with; a file is what the next start gets.
 */
import type { Draft } from './draft.ts'

/** Longer files are cut: nobody pastes more. */
const mostLines = 200

/** True when the line is part of such a file, or a command line. */
export function readBootLine(draft: Draft, line: string): boolean {
  if (draft.expects !== undefined) {
    draft.expects = undefined
    if (isCommandLine(line)) {
      draft.kernel.cmdline = line.trim().slice(0, 4096)
      return true
    }
  }
  // `cat /proc/cmdline`, `==> /proc/cmdline <==`, `/proc/cmdline:`
  if (line.includes('/proc/cmdline') && /\/proc\/cmdline["'`]?(?:\s{0,4}(?:<==|:))?\s*$/.test(line)) {
    draft.expects = 'command line'
    return true
  }
  return readFileLine(draft, line)
}

/** Words as the kernel takes them, at least one with a value or of those that stand alone on most command lines. */
function isCommandLine(line: string): boolean {
  const words = line.trim().split(/\s+/)
  return (
    words.every((word) => /^[\w.,:;/\\@%+~*!{}()[\]"'=-]{1,1000}$/.test(word)) &&
    words.some((word) => /^"?[\w.-]{2,60}=/.test(word) || /^(?:ro|rw|quiet|splash)$/.test(word)) &&
    !/[$#>%]$/.test(words[0] ?? '')
  )
}

function readFileLine(draft: Draft, line: string): boolean {
  const named = /(\/etc\/modprobe\.d\/[\w.-]{1,80}\.conf)\b/.exec(line)?.[1]
  if (named !== undefined) draft.modprobeFile = named
  // `grep` prints the file before a line of it.
  const text = line.replace(/^\s{0,20}(?:\/[\w./-]{1,120}:)?\s{0,20}/, '')
  if (/^(?:export )?GRUB_CMDLINE_LINUX(?:_\w{1,30})?\+?=/.test(text)) return addLine(draft, '/etc/default/grub', text)
  if (/^append\s+\S{0,400}[=/]/i.test(text)) return addLine(draft, '/boot/syslinux/syslinux.cfg', text)
  if (/^options\s+[\w-]{2,40}\s+\w{2,40}=/.test(text))
    return addLine(draft, draft.modprobeFile ?? '/etc/modprobe.d/*.conf', text)
  return false
}

function addLine(draft: Draft, path: string, line: string): boolean {
  const lines = draft.files.get(path) ?? []
  if (lines.length === 0 && draft.files.size < 64) draft.files.set(path, lines)
  if (lines.length < mostLines) lines.push(line.slice(0, 4096))
  return true
}
