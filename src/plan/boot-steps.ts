/** Steps that several ways of booting share. */
import type { HostFile } from '../host/host.ts'
import type { BootChange } from './boot-edits.ts'
import type { Step } from './step.ts'

export function editStep(file: HostFile, text: string, change: BootChange): Step[] {
  if (text === file.text) return []
  const mode = file.mode ?? 0o644
  const words = [...change.remove.map((raw) => `without ${raw}`), ...change.add]
  return [
    {
      kind: 'file',
      path: file.path,
      before: { text: file.text, mode },
      after: { text, mode },
      why: `kernel arguments: ${words.join(', ')}`,
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
