/**
 * Reads boot configuration beside a listing: the output of `cat /proc/cmdline`, GRUB's variables, the append
 * lines of syslinux (Unraid), entries of other boot loaders, options of kernel modules. A command line is
 * that of the running kernel; a file is for the next start.
 */
import type { HostDraft } from './draft.ts'

/** Further lines of a file are dropped. */
const mostLines = 200

/** True if the line is a command line or part of such a file. */
export function readBootLine(draft: HostDraft, written: string): boolean {
  // Remove the quote marks of a mail.
  const line = written.replace(/^(?:> ?){1,20}/, '')
  const { expects } = draft
  draft.expects = undefined
  if (expects !== undefined && isCommandLine(line)) {
    if (expects !== '/proc/cmdline') return addLine(draft, expects, line)
    draft.kernel.cmdline = line.trim().slice(0, 4096)
    return true
  }
  draft.expects = namedCommandLine(line)
  return draft.expects !== undefined || readFileLine(draft, line)
}

/**
 * After `cat /proc/cmdline`, `==> /proc/cmdline <==` or `/proc/cmdline:` comes the command line, or the only
 * line of the file.
 */
function namedCommandLine(line: string): HostDraft['expects'] {
  if (!line.includes('cmdline') && !line.includes('kargs')) return undefined
  const named = /(\/proc\/cmdline|\/etc\/kernel\/cmdline)["'`]?(?:\s{0,4}(?:<==|:))?\s*$/.exec(line)?.[1]
  if (named === '/proc/cmdline' || named === '/etc/kernel/cmdline') return named
  return /\brpm-ostree kargs\s*$/.test(line) ? '/boot/loader/entries/*.conf' : undefined
}

/**
 * Whether all words could be kernel arguments, and at least one has a value or is a common argument without a
 * value.
 */
function isCommandLine(line: string): boolean {
  const words = line.trim().split(/\s+/)
  return (
    words.every((word) => /^[\w.,:;/\\@%+~*!{}()[\]"'=-]{1,1000}$/.test(word)) &&
    words.some((word) => /^"?[\w.-]{2,60}=/.test(word) || /^(?:ro|rw|quiet|splash)$/.test(word)) &&
    !/[$#>%]$/.test(words[0] ?? '')
  )
}

/**
 * The beginning of a line in each file. The path is that of the file, with a star if the line does not show
 * its name.
 */
const carriers: readonly (readonly [RegExp, string])[] = [
  [/^(?:export )?GRUB_CMDLINE_LINUX(?:_\w{1,30})?\+?=/, '/etc/default/grub'],
  [/^(?:linux|linuxefi|linux16)\s+\/\S{1,200}\s.{0,2000}=/, '/boot/grub/grub.cfg'],
  [/^append\s+\S{0,400}[=/]/i, '/boot/syslinux/syslinux.cfg'],
  // systemd-boot and the Boot Loader Specification; `grubby --info`
  [/^options\s+[\w.-]{1,60}=/, '/boot/loader/entries/*.conf'],
  [/^args="/, '/boot/loader/entries/*.conf'],
  [/^(?:kernel_)?cmdline:\s+\S{1,400}=/i, '/boot/limine.conf'],
  [/^"Boot [^"]{0,80}"\s+"[^"]{0,2000}=/, '/boot/refind_linux.conf'],
  [/^boot\.kernelParams\s*=/, '/etc/nixos/configuration.nix'],
  [/^kernel_cmdline\+?=/, '/etc/dracut.conf.d/*.conf'],
  [/^vfio[-_]pci\s+ids=/, '/etc/initramfs-tools/modules'],
]

function readFileLine(draft: HostDraft, line: string): boolean {
  const named = /(\/etc\/modprobe\.d\/[\w.-]{1,80}\.conf)\b/.exec(line)?.[1]
  if (named !== undefined) draft.modprobeFile = named
  // Lines may have list marks or quotes, the file name that `grep` prints, or the `echo` command that writes
  // them.
  const text = line
    .replace(/`\s{0,20}$/, '')
    .replace(
      /^(?:[\s>`]|[-*•] ){0,40}(?:\/[\w./*-]{1,120}:)?\s{0,20}(?:(?:\S{0,60}[#$] ?)?(?:sudo )?echo ["']?)?/,
      '',
    )
  const path = carriers.find(([begins]) => begins.test(text))?.[1]
  if (path !== undefined) return addLine(draft, path, text)
  if (!/^options\s+[\w-]{2,40}\s+\w{2,40}=/.test(text)) return false
  return addLine(draft, draft.modprobeFile ?? '/etc/modprobe.d/*.conf', text.replace(/["']\s*>.*$/, ''))
}

function addLine(draft: HostDraft, path: string, line: string): boolean {
  const lines = draft.files.get(path) ?? []
  if (lines.length === 0 && draft.files.size < 64) draft.files.set(path, lines)
  if (lines.length < mostLines) lines.push(line.slice(0, 4096))
  return true
}
