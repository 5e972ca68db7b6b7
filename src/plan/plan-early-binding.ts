/** Early binding as file steps of our own, and one command that makes every initramfs again when one of them changes. */
import { earlyBindingFiles, findInitramfsTool, type Binding } from '../boot/early-binding.ts'
import type { OwnFile } from '../boot/own-file.ts'
import type { Host, HostFile } from '../host/host.ts'
import { knowsImages, regenerateSteps } from './initramfs-steps.ts'
import type { Step } from './step.ts'

/** Nothing where the initramfs tool or udev is not known: there the devices are bound at every apply. */
export function planEarlyBinding(host: Host, identities: readonly Binding[]): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  if (tool === undefined || !knowsImages(host, tool)) return []
  if (!host.boot?.present.includes('/run/systemd/system')) return []
  const wanted = earlyBindingFiles(tool, identities)
  const isKnown = wanted.some(({ path }) => host.files?.some((file) => file.path === path))
  if (identities.length === 0 && !isKnown) return []
  const steps = ownFileSteps(wanted, host.files ?? [], 'bind early, by verified identity')
  if (steps.length === 0) return []
  return [...steps, ...regenerateSteps(host)]
}

/** A step for each file that is not as wanted. */
export function ownFileSteps(wanted: readonly OwnFile[], files: readonly HostFile[], why: string): Step[] {
  return wanted.flatMap(({ path, text, mode }): Step[] => {
    const old = files.find((file) => file.path === path)
    if (old?.text === text && (old.mode ?? mode) === mode) return []
    const before = old === undefined ? null : { text: old.text, mode: old.mode ?? mode }
    return [{ kind: 'file', path, before, after: { text, mode }, why }]
  })
}
