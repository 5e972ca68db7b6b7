/**
 * Unified images that are made one by one: which of them are of an installed kernel, and how they are put in
 * place.
 */
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { Making } from '../initramfs/tool.ts'
import { remakeReason, type Kernel } from './maker.ts'

export type KnownImage = { readonly path: string; readonly release: string }

/** Of installed kernels, under names that the maker gives; others (a rescue image) are left as they are. */
export function knownImages(host: Host, isName: (name: string, release: string) => boolean): KnownImage[] {
  const { folder, images } = host.boot?.unified ?? { folder: '', images: [] }
  return images.flatMap(({ name, release }) =>
    release !== undefined && isName(name, release) ? [{ path: `${folder}/${name}`, release }] : [],
  )
}

/** Debian and its kin keep kernels in /boot, the others with their modules. */
export function kernelOf(host: Host, release: string): Kernel {
  const inBoot = host.boot?.bootNames.includes(`vmlinuz-${release}`) === true
  return { release, kernel: inBoot ? `/boot/vmlinuz-${release}` : `/lib/modules/${release}/vmlinuz` }
}

/** Where an image is made before it gets a good one's name. */
export function freshOf(image: string): string {
  return `${image}.handover`
}

/**
 * Makes a good image again and puts it in place of the old one by a rename: an image that is cut off half-way
 * never has a good one's name. `inPlace` makes it under its own name, should somebody have made it again
 * before a rollback.
 */
export function replaceImage(image: string, making: readonly Making[], inPlace: readonly string[]): Step[] {
  const fresh = freshOf(image)
  return [
    ...making.map((one): Step => ({ kind: 'command', ...one, why: remakeReason })),
    {
      kind: 'command',
      argv: ['mv', '-f', fresh, image],
      outputs: [image, fresh],
      undo: inPlace,
      why: 'in place of the old one',
    },
  ]
}
