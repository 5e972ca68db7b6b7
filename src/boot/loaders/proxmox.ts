/**
 * proxmox-boot-tool makes all entries from /etc/kernel/cmdline. It copies kernels, initramfs images and
 * entries to partitions that are not mounted, so their bytes cannot be saved. A rollback runs it again after
 * the files that it copies are restored.
 */
import type { Step } from '../../steps/step.ts'
import { manual, type BootChange, type Edits } from '../edits.ts'
import { remakeAll } from '../initramfs/images.ts'
import { editKernelCmdline, kernelCmdlinePath } from '../kernel-cmdline.ts'
import { no, tryByHand } from '../trial/trial-way.ts'
import { grubName } from './grub-custom.ts'
import type { BootSituation, Loader, LoaderKind } from './loader.ts'
import { unwrittenLoader } from './unknown.ts'
import { unifiedName } from './unified.ts'

const uuids = '/etc/kernel/proxmox-boot-uuids'

/** GRUB under proxmox-boot-tool is handled by grub.ts, since its arguments are in /etc/default/grub. */
export const proxmox: LoaderKind = {
  name: 'proxmox-boot-tool',
  detect: ({ has, ran }) =>
    has(uuids) && ran !== grubName && ran !== unifiedName ? { loader, isCertain: true } : undefined,
  place: ({ hasFile }) =>
    hasFile(uuids) && hasFile(kernelCmdlinePath)
      ? `the one line of ${kernelCmdlinePath}, run proxmox-boot-tool refresh`
      : undefined,
}

const loader: Loader = {
  ...unwrittenLoader('proxmox-boot-tool', edit),
  trial: () =>
    no(
      'proxmox-boot-tool keeps the entries on partitions that are not mounted, all with the same arguments',
      tryByHand,
    ),
  remake: ({ host }, tool) => [...remakeAll(host, tool), refreshProxmox],
}

function edit({ host }: BootSituation, change: BootChange): Edits {
  const steps = editKernelCmdline(host, change)
  if (steps === undefined)
    return manual(
      'proxmox-boot-tool',
      `write the one line of ${kernelCmdlinePath} (ARGS), then run: proxmox-boot-tool refresh`,
      change,
    )
  return { ok: true, steps: steps.length === 0 ? [] : [...steps, refreshProxmox] }
}

export const refreshProxmox: Step = {
  kind: 'command',
  argv: ['proxmox-boot-tool', 'refresh'],
  outputs: [],
  undo: ['proxmox-boot-tool', 'refresh'],
  why:
    'copy the changes to every boot partition ' +
    '(they are not mounted, so a rollback runs this again after it restored the files)',
}
