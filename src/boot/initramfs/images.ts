/**
 * Steps that rebuild initramfs images with the early binding. Where entries name the images (systemd-boot,
 * GRUB with entry files), exactly those are rebuilt, each under another name and then renamed: an incomplete
 * image never has the name of a good one, and no hook rewrites the entries.
 */
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { trialEntryName } from '../trial/trial.ts'
import type { InitramfsTool } from './tool.ts'

const why = 'put the early binding into every initramfs'

export function remakeAll(host: Host, tool: InitramfsTool): Step[] {
  return [{ kind: 'command', ...tool.makeAll(host.files ?? []), why }]
}

/**
 * Rebuilds the images that the entries of this folder name. Rebuilds every image when no entry names one, or
 * when the configuration of the tool names them.
 */
export function remakeNamed(host: Host, tool: InitramfsTool, folder: string): Step[] {
  const images = tool.namesImages ? new Map<string, string>() : imagesOf(host, folder)
  if (images.size === 0) return remakeAll(host, tool)
  return [...images].flatMap(([path, release]) => [
    ...remakeOne(tool, path, release),
    ...keepCopy(host, path, release),
  ])
}

/** Path → release, without images whose kernel has no modules here (a rescue entry). */
function imagesOf(host: Host, folder: string): Map<string, string> {
  const images = new Map<string, string>()
  for (const { entry, path, release } of host.boot?.entryImages ?? [])
    if (release !== undefined && entry.startsWith(`${folder}/`) && !entry.endsWith(`/${trialEntryName}`))
      images.set(path, release)
  return images
}

/**
 * Debian keeps /boot/initrd.img-RELEASE besides the image of the entry, and the next `kernel-install add`
 * would install that copy (85-initrd.install).
 */
function keepCopy(host: Host, path: string, release: string): Step[] {
  const copy = `/boot/initrd.img-${release}`
  if (copy === path || host.boot?.bootNames.includes(`initrd.img-${release}`) !== true) return []
  const argv = ['cp', '-f', path, copy]
  return [{ kind: 'command', argv, outputs: [copy], undo: argv, why: 'update the copy that new entries use' }]
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
      why: 'replace the old image',
    },
  ]
}

/** Keeps only the last run of each command, which comes after everything that the command reads. */
export function withoutRepeats(steps: readonly Step[]): Step[] {
  const name = (step: Step) => (step.kind === 'command' ? step.argv.join('\0') : undefined)
  return steps.filter(
    (step, i) => step.kind !== 'command' || !steps.slice(i + 1).some((later) => name(later) === name(step)),
  )
}
