/**
 * Making initramfs images again so that they bind early. Where entries name the images (systemd-boot, Fedora's GRUB), exactly
 * those are made, each beside the old one and then renamed over it: an image that is cut off half-way never has a good
 * entry's name, and no hook rewrites entries meanwhile.
 */
import { blsFolder } from '../loaders/bls.ts'
import { findInitramfsTool, regenerateInitramfs, type InitramfsTool } from './early-binding.ts'
import { trialEntryName } from '../trial/trial-entries.ts'
import { remakeImage, remakeInPlace, type UkiMaker } from '../makers/unified.ts'
import type { Host } from '../../host/host.ts'
import { refreshProxmox } from '../loaders/boot-steps.ts'
import { loaderOf } from '../loaders/loader-of.ts'
import type { Step } from '../../steps/step.ts'
import { findUkiMaker, kernelOf, knownImages, mkinitcpioOutputs } from '../makers/uki-maker.ts'

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

/** Of unified kernel images: whether the running kernel's is among those that can be made again. */
export function knowsImages(host: Host): boolean {
  if (loaderOf(host).kind !== 'uki') return true
  const maker = findUkiMaker(host)
  return maker !== undefined && makesKnownImages(host, maker)
}

export function makesKnownImages(host: Host, maker: UkiMaker): boolean {
  if (maker.kind === 'mkinitcpio') return true
  return knownImages(host, maker).some(({ release }) => release === host.kernel.release)
}

/** Nothing where the tool is not known. */
export function regenerateSteps(host: Host): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  if (tool === undefined) return []
  const loader = loaderOf(host)
  if (loader.kind === 'uki') {
    const maker = findUkiMaker(host)
    return maker === undefined ? [] : remakeUnified(host, maker)
  }
  const named = loader.kind === 'systemd-boot' || (loader.kind === 'grub' && loader.usesEntries)
  const images = named && tool !== 'mkinitcpio' ? imagesOf(host) : new Map<string, string>()
  if (images.size > 0)
    return [...images].flatMap(([path, release]) => [...remake(tool, path, release), ...keepCopy(host, path, release)])
  const isCopied = loader.kind === 'proxmox' || (loader.kind === 'grub' && loader.isCopied === true)
  const made = regenerateInitramfs(tool)
  const outputs = tool === 'mkinitcpio' ? mkinitcpioOutputs(host.files ?? []) : made.outputs
  return [{ kind: 'command', argv: made.argv, outputs, why }, ...(isCopied ? [refreshProxmox] : [])]
}

/** Every unified image that is known, with the early binding and the arguments that the maker's configuration says now. */
export function remakeUnified(host: Host, maker: UkiMaker): Step[] {
  const reason = 'put the early binding and the kernel arguments into every image'
  if (maker.kind === 'mkinitcpio')
    return [{ kind: 'command', argv: ['mkinitcpio', '-P'], outputs: mkinitcpioOutputs(host.files ?? []), why: reason }]
  return knownImages(host, maker).flatMap(({ path, release }): Step[] => {
    const kernel = kernelOf(host, release)
    const undo = remakeInPlace(maker, path, kernel)
    const making = remakeImage(maker, path, kernel).map((one): Step =>
      one.outputs.includes(path)
        ? { kind: 'command', ...one, undo, why: 'in place of the old one' }
        : { kind: 'command', ...one, why: reason },
    )
    return [...(maker.kind === 'ukify' ? remakeInitramfs(host, release) : []), ...making]
  })
}

/** Debian's kernel-install takes the initramfs from /boot (55-initrd.install); elsewhere it has one made. */
function remakeInitramfs(host: Host, release: string): Step[] {
  const tool = host.boot ? findInitramfsTool(host.boot.present) : undefined
  const name = `initrd.img-${release}`
  if (tool === undefined || host.boot?.bootNames.includes(name) !== true) return []
  return remake(tool, `/boot/${name}`, release)
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

/** A generator that runs twice is run once, after everything it reads was changed. */
export function withoutRepeats(steps: readonly Step[]): Step[] {
  const name = (step: Step) => (step.kind === 'command' ? step.argv.join('\0') : undefined)
  return steps.filter(
    (step, i) => step.kind !== 'command' || !steps.slice(i + 1).some((later) => name(later) === name(step)),
  )
}
