/** initramfs-tools (Debian, Ubuntu). */
import hook from '../../../assets/boot/initramfs-tools-hook.sh?raw'
import initTop from '../../../assets/boot/initramfs-tools-init-top.sh?raw'
import { script, type InitramfsTool } from './tool.ts'

export const initramfsTools: InitramfsTool = {
  name: 'initramfs-tools',
  isInstalled: (has) => has('/usr/sbin/update-initramfs') && has('/etc/initramfs-tools'),
  files: [
    script('/etc/initramfs-tools/hooks/handover', hook),
    script('/etc/initramfs-tools/scripts/init-top/handover', initTop),
  ],
  make: (path, release) => ['mkinitramfs', '-o', path, release],
  makeAll: () => ({ argv: ['update-initramfs', '-u', '-k', 'all'], outputs: ['/boot/initrd.img-*'] }),
}
