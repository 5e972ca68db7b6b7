/**
 * Steps that make initramfs images again, so that they bind early. Where entries name the images
 * (systemd-boot, GRUB with entry files), exactly those are made, each beside the old one and then renamed
 * over it: an image that is cut off half-way never has a good entry's name, and no hook rewrites entries
 * meanwhile.
 */
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { trialEntryName } from '../trial/trial.ts'
import type { InitramfsTool } from './tool.ts'

const why = 'put the early binding into every initramfs'

/** Every image, by the tool's own command. */
export function remakeAll(host: Host, tool: InitramfsTool): Step[] {
  return [{ kind: 'command', ...tool.makeAll(host.files ?? []), why }]
}

/**
 * The images that the entries of this folder name; every image where none is named, or the tool names them
 * itself.
 */
export function remakeNamed(host: Host, tool: InitramfsTool, folder: string): Step[] {
  const images = tool.namesImages ? new Map<string, string>() : imagesOf(host, folder)
  if (images.size === 0) return remakeAll(host, tool)
  return [...images].flatMap(([path, release]) => [
    ...remakeOne(tool, path, release),
    ...keepCopy(host, path, release),
  ])
}

/** Path → release; images whose kernel has no modules here (a rescue entry) are left as they are. */
function imagesOf(host: Host, folder: string): Map<string, string> {
  const images = new Map<string, string>()
  for (const { entry, path, release } of host.boot?.entryImages ?? [])
    if (release !== undefined && entry.startsWith(`${folder}/`) && !entry.endsWith(`/${trialEntryName}`))
      images.set(path, release)
  return images
}

/**
 * Debian keeps /boot/initrd.img-RELEASE beside the image of the entry. The next `kernel-install add` would
 * put that copy in place (85-initrd.install).
 */
function keepCopy(host: Host, path: string, release: string): Step[] {
  const copy = `/boot/initrd.img-${release}`
  if (copy === path || host.boot?.bootNames.includes(`initrd.img-${release}`) !== true) return []
  const argv = ['cp', '-f', path, copy]
  return [
    { kind: 'command', argv, outputs: [copy], undo: argv, why: 'the copy that new entries are made from' },
  ]
}

export function remakeOne(tool: InitramfsTool, path: string, release: string): Step[] {
  const fresh = `${path}.handover`
  return [
    { kind: 'command', argv: tool.make(fresh, release), outputs: [fresh], why },
    {
      kind: 'command',
      argv: ['mv', '-f', fresh, path],
      outputs: [path, fresh],
      undo: tool.make(path, release),
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
