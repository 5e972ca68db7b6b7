/**
 * mkinitcpio makes unified images when its presets name them. `mkinitcpio -P` builds all of them together.
 */
import type { HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { editStep, manual, type BootChange, type Edits } from '../edits.ts'
import { makePresets, presetOutputs } from '../initramfs/mkinitcpio.ts'
import { changeKernelCmdline, kernelCmdlineEdits, kernelCmdlinePath } from '../kernel-cmdline.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import { inNoFile, remakeReason, trialCmdlineFile, trialCmdlinePath, type UkiMaker } from './maker.ts'

const ownCmdline = '/etc/cmdline.d/handover.conf'

export const mkinitcpioMaker: UkiMaker = {
  name: 'mkinitcpio',
  isUsed: ({ files = [] }) => presetOutputs(files).some((path) => path.endsWith('.efi')),
  edit,
  byHand: { path: `in ${kernelCmdlinePath}`, run: 'run: mkinitcpio -P' },
  makesRunning: () => true,
  // Its post hooks sign only the images that the presets name.
  signs: (_, image) => image === 'good',
  remake: ({ files = [] }) => [{ kind: 'command', ...makePresets(files), why: remakeReason }],
  trialFiles: trialCmdlineFile,
  makeTrial: (_, image, { release }) => [
    { argv: ['mkinitcpio', '-k', release, '--cmdline', trialCmdlinePath, '-U', image], outputs: [image] },
  ],
}

/**
 * Without /etc/kernel/cmdline and /etc/cmdline.d, mkinitcpio uses the running command line. A new file with
 * only our arguments would drop the others.
 */
function edit(files: readonly HostFile[], change: BootChange): Edits {
  const inOneFile = kernelCmdlineEdits({ files }, change)
  if (inOneFile) return inOneFile
  const parts = files.filter(({ path }) => path.startsWith('/etc/cmdline.d/'))
  const others = parts.filter(({ path }) => path !== ownCmdline)
  if (others.length === 0)
    return manual(
      inNoFile,
      `write the whole command line (as in /proc/cmdline) into ${kernelCmdlinePath}: ARGS; ` +
        'then run: mkinitcpio -P',
      change,
    )
  const removed = { add: [], remove: change.remove }
  const edits = others.flatMap((part) => editStep(part, changeKernelCmdline(part.text, removed), change))
  return { ok: true, steps: [...edits, ...ownPart(parts, change)] }
}

function ownPart(parts: readonly HostFile[], change: BootChange): Step[] {
  const old = parts.find(({ path }) => path === ownCmdline)
  const known = old?.text.split('\n').findLast((line) => line !== '' && !line.startsWith('#')) ?? ''
  const line = changeKernelCmdline(known, change)
  if (line === '' && old === undefined) return []
  const header =
    '# Written by handover. To undo: handover rollback (or remove this file and run mkinitcpio -P).'
  const text = `${header}\n${line}\n`
  if (old?.text === text) return []
  return ownFileSteps([{ path: ownCmdline, text, mode: 0o644 }], parts, 'add kernel arguments')
}
