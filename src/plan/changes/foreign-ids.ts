/**
 * Ids for drivers that bind by model, which others wrote, taken out when the spec asks for it (`host:
 * foreign-ids: remove`).
 */
import { hasArg, parseCmdline } from '../../boot/cmdline.ts'
import { idsInFile, idsOnCmdline, removeIds, type GivenIds } from '../../boot/module-options.ts'
import { holdsKernelArguments } from '../../boot/argument-files.ts'
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'

export type ForeignIds = GivenIds & {
  /** For a person: a path, or the kernel command line. */
  readonly where: string
  /** Set where it is a kernel argument. */
  readonly argument?: string
}

/** Every list of ids on this host, in the order in which they are found. */
export function findForeignIds(host: Host): ForeignIds[] {
  return [
    ...idsOnCmdline(host.kernel.cmdline ?? '').map((given) => ({
      where: 'the kernel command line',
      ...given,
    })),
    ...idsOfNextStart(host),
    ...filesWithOptions(host).flatMap(({ path, text }) =>
      idsInFile(path, text).map((given) => ({ where: path, ...given })),
    ),
  ]
}

/**
 * Of a pasted host: what a boot loader's file beside the listing gives the next start, and the running kernel
 * has not.
 */
function idsOfNextStart(host: Host): ForeignIds[] {
  if (host.boot !== undefined) return []
  const running = new Set(idsOnCmdline(host.kernel.cmdline ?? '').map(({ argument }) => argument))
  return (host.files ?? []).flatMap(({ path, text }) => {
    if (!holdsKernelArguments(path)) return []
    const words = text.split('\n').flatMap((line) => (/^\s*#/.test(line) ? [] : line.split(/[\s"']+/)))
    return idsOnCmdline(words.join(' ')).flatMap(({ taker, ids, argument }) =>
      running.has(argument) ? [] : [{ taker, ids, where: path }],
    )
  })
}

export type Removal = {
  /** Kernel arguments, as they stand on the command line. */
  readonly arguments: readonly string[]
  /** Files of others, edited in place; every initramfs has a copy and is to be made again. */
  readonly edits: readonly Step[]
}

/**
 * Nothing with `--no-boot` (`mayWrite` false), or of a host of which it is not known how it boots (a pasted
 * listing).
 */
export function removeForeignIds(host: Host, mayWrite = true): Removal {
  if (host.boot === undefined || !mayWrite) return { arguments: [], edits: [] }
  const cmdline = parseCmdline(host.kernel.cmdline ?? '')
  return {
    // What stands behind `--` is init's, and no boot loader's edit takes it out.
    arguments: findForeignIds(host).flatMap(({ argument }) =>
      argument !== undefined && hasArg(cmdline, argument) ? [argument] : [],
    ),
    edits: filesWithOptions(host).flatMap((file) => editOf(file)),
  }
}

function filesWithOptions(host: Host): HostFile[] {
  return (host.files ?? []).filter(
    ({ path }) => path.startsWith('/etc/modprobe.d/') || path === '/etc/initramfs-tools/modules',
  )
}

function editOf({ path, text, mode = 0o644 }: HostFile): Step[] {
  // A byte that is no UTF-8 was read as U+FFFD, and would be written as that.
  const cut = text.includes('\ufffd') ? text : removeIds(path, text)
  if (cut === text) return []
  const why = 'the spec asks for foreign ids to be taken out'
  return [{ kind: 'file', path, before: { text, mode }, after: { text: cut, mode }, why }]
}

/** Whether this removal takes that list out. */
export function takesOut(removal: Removal | undefined, { where, argument }: ForeignIds): boolean {
  if (removal === undefined) return false
  if (argument !== undefined) return removal.arguments.includes(argument)
  return removal.edits.some((step) => step.kind === 'file' && step.path === where)
}
