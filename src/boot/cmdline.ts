/**
 * Parses the kernel command line and keeps every blank and quote: `formatCmdline(parseCmdline(text))` is
 * `text`. As in next_arg() of the kernel (lib/cmdline.c), blanks separate arguments, double quotes group, and
 * there is no escape character.
 */

export type KernelArg = {
  /** As written: `intel_iommu=on`, `"dyndbg=file foo +p"`. */
  readonly raw: string
  /** The blanks before the argument. */
  readonly gap: string
}

export type Cmdline = { readonly args: readonly KernelArg[]; readonly tail: string }

const isBlank = (character: string) => /[ \t\n\v\f\r]/.test(character)

export function parseCmdline(text: string): Cmdline {
  const args: KernelArg[] = []
  let gap = ''
  let raw = ''
  let isQuoted = false
  for (const character of text) {
    if (!isQuoted && isBlank(character)) {
      if (raw !== '') {
        args.push({ raw, gap })
        raw = ''
        gap = ''
      }
      gap += character
      continue
    }
    if (character === '"') isQuoted = !isQuoted
    raw += character
  }
  if (raw === '') return { args, tail: gap }
  return { args: [...args, { raw, gap }], tail: '' }
}

export function formatCmdline(cmdline: Cmdline): string {
  return cmdline.args.map(({ gap, raw }) => gap + raw).join('') + cmdline.tail
}

/** `intel-iommu="on"` → key `intel_iommu`, value `on`: in names, the kernel treats `-` and `_` as equal. */
export function readArg(raw: string): { readonly key: string; readonly value: string | undefined } {
  const bare = raw.replaceAll('"', '')
  const equals = bare.indexOf('=')
  const name = equals < 0 ? bare : bare.slice(0, equals)
  return { key: name.replaceAll('-', '_'), value: equals < 0 ? undefined : bare.slice(equals + 1) }
}

export function isSameArg(a: string, b: string): boolean {
  const left = readArg(a)
  const right = readArg(b)
  return left.key === right.key && left.value === right.value
}

/** The arguments after a bare `--` are for init, not for the kernel. */
function kernelArgs(cmdline: Cmdline): readonly KernelArg[] {
  const end = cmdline.args.findIndex(({ raw }) => raw === '--')
  return end < 0 ? cmdline.args : cmdline.args.slice(0, end)
}

/** The kernel's arguments, as they are written in the command line. */
export function rawArgs(text: string): string[] {
  return kernelArgs(parseCmdline(text)).map(({ raw }) => raw)
}

export function hasArg(cmdline: Cmdline, raw: string): boolean {
  return kernelArgs(cmdline).some((arg) => isSameArg(arg.raw, raw))
}

/** The last argument with this key: for nearly every parameter the kernel uses the last one. */
export function findArg(cmdline: Cmdline, key: string): string | undefined {
  const wanted = readArg(key).key
  return kernelArgs(cmdline).findLast((arg) => readArg(arg.raw).key === wanted)?.raw
}

/** Adds the argument at the end of the kernel's part, unless it is there. */
export function addArg(cmdline: Cmdline, raw: string): Cmdline {
  if (hasArg(cmdline, raw)) return cmdline
  const at = kernelArgs(cmdline).length
  const next = cmdline.args[at]
  if (next !== undefined) {
    // The new argument gets the gap before `--`, so that `removeArg` restores the text.
    const moved = [
      { raw, gap: next.gap },
      { ...next, gap: ' ' },
    ]
    const put = at === 0 ? moved : [{ raw, gap: ' ' }, next]
    return { ...cmdline, args: [...cmdline.args.slice(0, at), ...put, ...cmdline.args.slice(at + 1)] }
  }
  // Trailing blanks stay at the end.
  return { args: [...cmdline.args, { raw, gap: cmdline.args.length === 0 ? '' : ' ' }], tail: cmdline.tail }
}

/**
 * Removes every kernel argument with this key and value. The gap of a removed first argument goes to the next
 * one.
 */
export function removeArg(cmdline: Cmdline, raw: string): Cmdline {
  const scope = new Set(kernelArgs(cmdline))
  const args: KernelArg[] = []
  let inherited: string | undefined
  for (const arg of cmdline.args) {
    if (scope.has(arg) && isSameArg(arg.raw, raw)) {
      if (args.length === 0) inherited ??= arg.gap
      continue
    }
    args.push(inherited === undefined ? arg : { ...arg, gap: inherited })
    inherited = undefined
  }
  return { args, tail: cmdline.tail }
}
