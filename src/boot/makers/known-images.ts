/**
 * Finds the unified images of installed kernels, for makers that build one image at a time, and replaces
 * them.
 */
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import type { Making } from '../initramfs/tool.ts'
import { remakeReason, type Kernel } from './maker.ts'

export type KnownImage = { readonly path: string; readonly release: string }

/**
 * The images of installed kernels whose name is one of the maker's. Others (a rescue image) are not changed.
 */
export function knownImages(host: Host, isName: (name: string, release: string) => boolean): KnownImage[] {
  const { folder, images } = host.boot?.unified ?? { folder: '', images: [] }
  return images.flatMap(({ name, release }) =>
    release !== undefined && isName(name, release) ? [{ path: `${folder}/${name}`, release }] : [],
  )
}

/** Debian and its derivatives keep kernels in /boot, other distributions beside the modules. */
export function kernelOf(host: Host, release: string): Kernel {
  const inBoot = host.boot?.bootNames.includes(`vmlinuz-${release}`) === true
  return { release, kernel: inBoot ? `/boot/vmlinuz-${release}` : `/lib/modules/${release}/vmlinuz` }
}

/** An image is built under this name, and then renamed. */
export function freshOf(image: string): string {
  return `${image}.handover`
}

/**
 * Rebuilds an image and replaces the old one by a rename, so that an incomplete image never has the name of a
 * good one. `inPlace` builds it under its own name, for a rollback after another program has rebuilt it.
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
      why: 'replace the old image',
    },
  ]
}
