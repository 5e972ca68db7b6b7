/**
 * Unified kernel images: how each tool that makes them is told to make one, and what a trial's own image is made from.
 * Text and commands only. A second image is made under a name that no tool and no boot loader takes for a good one.
 */
import { ownHeader, type OwnFile } from '../own-file.ts'

/** Beside the good images, so that systemd-boot offers it; its id is its name (systemd-boot(7), Type #2 entries). */
export const trialImageName = 'handover-trial.efi'

/** Needed only while the trial's image is made: what lies here is gone with the next boot. */
const trialFolder = '/run/handover-trial'
const trialCmdlinePath = `${trialFolder}/cmdline`
const trialDracutFolder = `${trialFolder}/dracut.d`
/** It stands behind every file of /usr/lib/dracut/dracut.conf.d, which dracut reads together with it, in the order of names. */
const trialDracutPath = `${trialDracutFolder}/zz-handover.conf`
/** An initramfs on its way into an image. */
const trialInitramfs = `${trialFolder}/initrd.img`
/** In memory: what kernel-install makes here is copied beside the good image and renamed over it. */
const stagingRoot = '/run/handover-boot'

/**
 * - `mkinitcpio`: its presets name the images.
 * - `dracut`: its configuration says `uefi="yes"`, and the arguments in `kernel_cmdline`.
 * - `ukify`: called by kernel-install (`layout=uki`), with the arguments of /etc/kernel/cmdline; `config` is its own file
 *   (keys for signing), where there is one.
 */
export type UkiMaker =
  { readonly kind: 'mkinitcpio' } | { readonly kind: 'dracut' } | { readonly kind: 'ukify'; readonly config?: string }

/** Those whose images are made one by one; the presets of mkinitcpio make all of them at once (`mkinitcpio -P`). */
export type SingleMaker = Exclude<UkiMaker, { kind: 'mkinitcpio' }>

/** A command, and what it writes. */
export type Making = { readonly argv: readonly string[]; readonly outputs: readonly string[] }

/** The files from which the trial's image gets its arguments: those of the running kernel with the change under trial. */
export function unifiedTrialFiles(maker: UkiMaker, cmdline: string): OwnFile[] {
  if (maker.kind !== 'dracut') return [{ path: trialCmdlinePath, text: `${cmdline}\n`, mode: 0o644 }]
  const text = `${ownHeader}
# The configuration as it is, with the kernel arguments of one trial boot: dracut --confdir ${trialDracutFolder}
for handover_conf in /etc/dracut.conf.d/*.conf; do
  [ -e "$handover_conf" ] && . "$handover_conf"
done
kernel_cmdline=${quote(cmdline)}
`
  return [{ path: trialDracutPath, text, mode: 0o644 }]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * Makes the trial's image. `makeInitramfs` gives the command for an initramfs of its own, where the maker does not call for
 * one by itself.
 */
export function makeTrialImage(
  maker: UkiMaker,
  image: string,
  { release, kernel, makeInitramfs }: Kernel & { readonly makeInitramfs: (path: string) => readonly string[] },
): Making[] {
  switch (maker.kind) {
    case 'mkinitcpio':
      return [{ argv: ['mkinitcpio', '-k', release, '--cmdline', trialCmdlinePath, '-U', image], outputs: [image] }]
    case 'dracut':
      return [
        { argv: ['dracut', '--force', '--confdir', trialDracutFolder, '--uefi', image, release], outputs: [image] },
      ]
    case 'ukify':
      return [
        { argv: makeInitramfs(trialInitramfs), outputs: [trialInitramfs] },
        {
          argv: [
            ...['ukify', 'build', ...(maker.config === undefined ? [] : [`--config=${maker.config}`])],
            ...[`--linux=${kernel}`, `--initrd=${trialInitramfs}`, `--cmdline=@${trialCmdlinePath}`],
            ...[`--uname=${release}`, '--os-release=@/etc/os-release', `--output=${image}`],
          ],
          outputs: [image],
        },
        { argv: ['rm', '-f', trialInitramfs], outputs: [trialInitramfs] },
      ]
  }
}

export type Kernel = {
  readonly release: string
  /** Path of the bootable kernel file. */
  readonly kernel: string
}

/**
 * Makes a good image again, from what its maker's own configuration says now, and puts it in place of the old one by a rename:
 * an image that is cut off half-way never has a good one's name.
 */
export function remakeImage(maker: SingleMaker, image: string, { release, kernel }: Kernel): Making[] {
  const fresh = `${image}.handover`
  switch (maker.kind) {
    case 'dracut':
      return [{ argv: ['dracut', '--force', '--uefi', fresh, release], outputs: [fresh] }, rename(fresh, image)]
    case 'ukify': {
      const token = tokenOf(image, release)
      const staged = `${stagingRoot}/EFI/Linux/${token}-${release}.efi`
      return [
        {
          argv: [
            ...['env', `BOOT_ROOT=${stagingRoot}`, 'kernel-install', `--entry-token=literal:${token}`],
            ...['add', release, kernel],
          ],
          outputs: [staged],
        },
        { argv: ['cp', '-f', staged, fresh], outputs: [fresh] },
        { argv: ['rm', '-f', staged], outputs: [staged] },
        rename(fresh, image),
      ]
    }
  }
}

function rename(fresh: string, image: string): Making {
  return { argv: ['mv', '-f', fresh, image], outputs: [image, fresh] }
}

/** How the image is made in its own place, should somebody have made it anew before a rollback. */
export function remakeInPlace(maker: SingleMaker, image: string, { release, kernel }: Kernel): readonly string[] {
  switch (maker.kind) {
    case 'dracut':
      return ['dracut', '--force', '--uefi', image, release]
    case 'ukify':
      return ['kernel-install', `--entry-token=literal:${tokenOf(image, release)}`, 'add', release, kernel]
  }
}

/** kernel-install names an image `TOKEN-RELEASE.efi` (90-uki-copy.install). */
function tokenOf(image: string, release: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1)
  return name.slice(0, name.indexOf(`-${release}`))
}
