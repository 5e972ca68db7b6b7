/**
 * Making initramfs images again so that they bind early. Where entries name the images (systemd-boot, Fedora's GRUB), exactly
 * those are made, each beside the old one and then renamed over it: an image that is cut off half-way never has a good
 * entry's name, and no hook rewrites entries meanwhile.
 */
import { blsFolder } from '../boot/bls.ts'
import { findInitramfsTool, regenerateInitramfs, type InitramfsTool } from '../boot/early-binding.ts'
import { trialEntryName } from '../boot/trial-entries.ts'
import type { Host } from '../host/host.ts'
import { refreshProxmox } from './boot-steps.ts'
import { loaderOf } from './loader-of.ts'
import type { Step } from './step.ts'
import { mkinitcpioOutputs } from './uki-edits.ts'

const why = 'put the early binding into every initramfs'

export function makeImage(tool: InitramfsTool, path: string, release: string): string[] {
  switch (tool) {
    case 'initramfs-tools':
      return ['mkinitramfs', '-o', path, release]
    case 'dracut':
      return ['dracut', '--force', path, release]
    case 'mkinitcpio':
      return ['mkinitcpio', '-k', release, '-g', path]
  }
}

/** Unified kernel images are known only where mkinitcpio's presets name them. */
export function knowsImages(host: Host, tool: InitramfsTool): boolean {
  return tool === 'mkinitcpio' || loaderOf(host).kind !== 'uki'
}

/** Nothing where the tool is not known. */
export function regenerateSteps(host: Host): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  if (tool === undefined) return []
  const loader = loaderOf(host)
  const named = loader.kind === 'systemd-boot' || (loader.kind === 'grub' && loader.usesEntries)
  const images = named && tool !== 'mkinitcpio' ? imagesOf(host) : new Map<string, string>()
  if (images.size > 0)
    return [...images].flatMap(([path, release]) => [...remake(tool, path, release), ...keepCopy(host, path, release)])
  const isCopied = loader.kind === 'proxmox' || (loader.kind === 'grub' && loader.isCopied === true)
  const made = regenerateInitramfs(tool)
  const outputs = tool === 'mkinitcpio' ? mkinitcpioOutputs(host.files ?? []) : made.outputs
  return [{ kind: 'command', argv: made.argv, outputs, why }, ...(isCopied ? [refreshProxmox] : [])]
}

/** Debian keeps /boot/initrd.img-RELEASE beside; the next `kernel-install add` would put that one in place (85-initrd.install). */
function keepCopy(host: Host, path: string, release: string): Step[] {
  const copy = `/boot/initrd.img-${release}`
  if (copy === path || host.boot?.bootNames.includes(`initrd.img-${release}`) !== true) return []
  const argv = ['cp', '-f', path, copy]
  return [{ kind: 'command', argv, outputs: [copy], undo: argv, why: 'the copy that new entries are made from' }]
}

/** Path → release; images whose kernel has no modules here (a rescue entry) are left as they are. */
function imagesOf(host: Host): Map<string, string> {
  const loader = loaderOf(host)
  const folder = loader.kind === 'systemd-boot' ? loader.entries : blsFolder
  const images = new Map<string, string>()
  for (const { entry, path, release } of host.boot?.entryImages ?? [])
    if (release !== undefined && entry.startsWith(`${folder}/`) && !entry.endsWith(`/${trialEntryName}`))
      images.set(path, release)
  return images
}

function remake(tool: InitramfsTool, path: string, release: string): Step[] {
  const fresh = `${path}.handover`
  return [
    { kind: 'command', argv: makeImage(tool, fresh, release), outputs: [fresh], why },
    {
      kind: 'command',
      argv: ['mv', '-f', fresh, path],
      outputs: [path, fresh],
      undo: makeImage(tool, path, release),
      why: 'in place of the old one',
    },
  ]
}
