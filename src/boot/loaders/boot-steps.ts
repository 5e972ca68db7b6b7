/** What several ways of booting share: a change of the command line, steps, and the way of saying what to do by hand. */
import { addKernelCmdlineArg, removeKernelCmdlineArg } from './bls.ts'
import type { Wording } from './bootloader.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath } from '../boot-paths.ts'

export type BootChange = { readonly add: readonly string[]; readonly remove: readonly string[] }

export type Edits =
  { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly finding: Finding }

const wordings: Readonly<
  Record<Wording, readonly [add: (raw: string) => string, remove: (raw: string) => string, between: string]>
> = {
  plain: [(raw) => `add ${raw}`, (raw) => `remove ${raw}`, ', '],
  nixos: [(raw) => `"${raw}"`, () => '', ' '],
  'rpm-ostree': [(raw) => `--append=${raw}`, (raw) => `--delete=${raw}`, ' '],
  'update-bootloader': [(raw) => `--add-option ${raw}`, (raw) => `--del-option ${raw}`, ' && update-bootloader '],
  kernelstub: [(raw) => `--add-options ${raw}`, (raw) => `--delete-options ${raw}`, ' && kernelstub '],
}

/** Without systemd nobody runs the units, tmpfiles and udev rules of ours. */
export function runsSystemd(host: Host): boolean {
  return hasPath(host.boot?.present, '/run/systemd/system')
}

/** Those of the files a plan may edit that lie in this folder. */
export function filesIn(host: Host, folder: string): readonly HostFile[] {
  return (host.files ?? []).filter(({ path }) => path.startsWith(`${folder}/`))
}

/** A change in words, for a person: `without iommu=off`, `intel_iommu=on`. */
export function changeWords({ add, remove }: BootChange): string[] {
  return [...remove.map((raw) => `without ${raw}`), ...add]
}

/** `ARGS` in `how` stands for the change. */
export function manual(
  system: string,
  how: string,
  change: BootChange,
  as: { readonly code?: Finding['code']; readonly words?: Wording } = {},
): Edits {
  const [add, remove, between] = wordings[as.words ?? 'plain']
  const words = [...change.remove.map(remove), ...change.add.map(add)]
  return {
    ok: false,
    finding: {
      code: as.code ?? 'boot-manual',
      severity: 'error',
      message: `the kernel command line has to change, and this machine boots with ${system}: nothing is written there`,
      help: how.replace('ARGS', words.filter((word) => word !== '').join(between)),
    },
  }
}

/** The arguments in /etc/kernel/cmdline, and in files like it. */
export function changeTemplate(text: string, change: BootChange): string {
  let edited = text
  for (const raw of change.remove) edited = removeKernelCmdlineArg(edited, raw)
  for (const raw of change.add) edited = addKernelCmdlineArg(edited, raw)
  return edited
}

export function editStep(file: HostFile, text: string, change: BootChange): Step[] {
  if (text === file.text) return []
  const mode = file.mode ?? 0o644
  return [
    {
      kind: 'file',
      path: file.path,
      before: { text: file.text, mode },
      after: { text, mode },
      why: `kernel arguments: ${changeWords(change).join(', ')}`,
    },
  ]
}

/**
 * proxmox-boot-tool copies kernels, initramfs images and entries to partitions that are not mounted: no bytes of theirs can
 * be saved. Taking it back is running it again, after everything it copies is as before.
 */
export const refreshProxmox: Step = {
  kind: 'command',
  argv: ['proxmox-boot-tool', 'refresh'],
  outputs: [],
  undo: ['proxmox-boot-tool', 'refresh'],
  why: 'copy it to every boot partition (they are not mounted: taking it back runs this once more, after the files are restored)',
}
