/** Ids for vfio-pci that others wrote, taken out when the spec asks for it (`host: foreign-ids: remove`). */
import { idsInFile, idsOnCmdline, removeIds } from '../boot/module-options.ts'
import type { Host, HostFile } from '../host/host.ts'
import type { Step } from './step.ts'

export type ForeignIds = {
  /** Where a person finds them: a path, or the kernel command line. */
  readonly where: string
  /** Comma-separated, as written there. */
  readonly ids: string
}

/** Every list of ids on this host, in the order in which they are found. */
export function findForeignIds(host: Host): ForeignIds[] {
  const onCmdline = idsOnCmdline(host.kernel.cmdline ?? '').map(({ ids }) => ({
    where: 'the kernel command line',
    ids,
  }))
  return [
    ...onCmdline,
    ...filesWithOptions(host).flatMap(({ path, text }) => idsInFile(path, text).map((ids) => ({ where: path, ids }))),
  ]
}

export type Removal = {
  /** Kernel arguments, as they stand on the command line. */
  readonly arguments: readonly string[]
  /** Files of others, edited in place; every initramfs has a copy and is to be made again. */
  readonly edits: readonly Step[]
}

export function removeForeignIds(host: Host): Removal {
  return {
    arguments: idsOnCmdline(host.kernel.cmdline ?? '').map(({ argument }) => argument),
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

/** Whether this removal takes that list out: all but what stands in a file whose bytes cannot be written back. */
export function takesOut(removal: Removal | undefined, { where }: ForeignIds): boolean {
  if (removal === undefined) return false
  if (!where.startsWith('/')) return removal.arguments.length > 0
  return removal.edits.some((step) => step.kind === 'file' && step.path === where)
}
