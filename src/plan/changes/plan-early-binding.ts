/**
 * Early binding as file steps of our own, and one command that makes every initramfs again when one of them
 * changes.
 */
import { earlyBindingFiles, type Bound } from '../../boot/early-binding.ts'
import { runsSystemd } from '../../boot/boot-paths.ts'
import type { BootSituation } from '../../boot/loaders/loader.ts'
import { remakeImages } from '../../boot/situation.ts'
import { ownFileSteps } from '../../boot/own-file-steps.ts'
import type { Step } from '../../steps/step.ts'

/** Nothing where the initramfs tool or udev is not known: there the devices are bound at every apply. */
export function planEarlyBinding(boot: BootSituation, bound: Bound): Step[] {
  const { host, tool } = boot
  if (tool === undefined || !boot.loader.remakesRunning(boot)) return []
  if (!runsSystemd(host)) return []
  const wanted = earlyBindingFiles(tool, bound)
  const isKnown = wanted.some(({ path }) => host.files?.some((file) => file.path === path))
  if (bound.identities.length === 0 && !isKnown) return []
  const steps = ownFileSteps(wanted, host.files ?? [], 'bind early, by verified identity')
  if (steps.length === 0) return []
  return [...steps, ...remakeImages(boot)]
}
