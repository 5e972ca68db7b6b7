/** Early binding as file steps of our own, and one command that makes every initramfs again when one of them changes. */
import { earlyBindingFiles, findInitramfsTool, type Binding } from '../../boot/initramfs/early-binding.ts'
import type { Host } from '../../host/host.ts'
import { runsSystemd } from '../../boot/loaders/boot-steps.ts'
import { knowsImages, regenerateSteps } from '../../boot/initramfs/initramfs-steps.ts'
import { ownFileSteps } from '../../boot/own-file-steps.ts'
import type { Step } from '../../steps/step.ts'

/** Nothing where the initramfs tool or udev is not known: there the devices are bound at every apply. */
export function planEarlyBinding(host: Host, identities: readonly Binding[]): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  if (tool === undefined || !knowsImages(host)) return []
  if (!runsSystemd(host)) return []
  const wanted = earlyBindingFiles(tool, identities)
  const isKnown = wanted.some(({ path }) => host.files?.some((file) => file.path === path))
  if (identities.length === 0 && !isKnown) return []
  const steps = ownFileSteps(wanted, host.files ?? [], 'bind early, by verified identity')
  if (steps.length === 0) return []
  return [...steps, ...regenerateSteps(host)]
}
