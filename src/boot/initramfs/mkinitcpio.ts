/**
 * mkinitcpio (Arch). It reads drop-ins since release 36. Early hooks run before the udev hook triggers events
 * (init, hooks/udev). With the systemd hook there are no early hooks, so a unit runs the script. Our hook is
 * the last one, so that it can check which of the two the image has.
 */
import bindUnit from '../../../assets/boot/handover-bind.service?raw'
import hook from '../../../assets/boot/mkinitcpio-hook.sh?raw'
import install from '../../../assets/boot/mkinitcpio-install.sh?raw'
import type { HostFile } from '../../host/host.ts'
import { script, setting, type InitramfsTool, type Making } from './tool.ts'

export const mkinitcpio: InitramfsTool = {
  name: 'mkinitcpio',
  isInstalled: (has) => has('/usr/bin/mkinitcpio') && has('/etc/mkinitcpio.conf'),
  files: [
    script('/etc/initcpio/install/handover', install, 0o644),
    script('/etc/initcpio/hooks/handover', hook, 0o644),
    script('/etc/handover/handover-bind.service', bindUnit, 0o644),
    setting('/etc/mkinitcpio.conf.d/handover.conf', 'HOOKS+=(handover)'),
  ],
  make: (path, release) => ['mkinitcpio', '-k', release, '-g', path],
  makeAll: makePresets,
  namesImages: true,
}

/**
 * `mkinitcpio -P` writes the files that its presets name: `default_image="…"`, `fallback_uki='…'`
 * (mkinitcpio(8)).
 */
export function makePresets(files: readonly HostFile[]): Making {
  return {
    argv: ['mkinitcpio', '-P'],
    outputs: [...new Set(['/boot/initramfs-*.img', ...presetOutputs(files)])],
  }
}

export function presetOutputs(files: readonly HostFile[]): string[] {
  return files
    .filter(({ path }) => /^\/etc\/mkinitcpio\.d\/[^/]+\.preset$/.test(path))
    .flatMap(({ text }) => [...text.matchAll(/^[ \t]*\w+_(?:image|uki|efi_image)=["']?(\/[\w./+-]+)/gm)])
    .map(([, path]) => path ?? '')
    .filter((path) => !path.includes('..'))
}
