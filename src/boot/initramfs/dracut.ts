/**
 * dracut (Fedora, RHEL, openSUSE). It takes hooks only from modules, so there is a module of our own. Hooks
 * of pre-udev are sourced before udevd starts, by dracut's own init and by dracut-pre-udev.service alike
 * (dracut.bootup(7)); force_drivers are loaded after them.
 */
import moduleSetup from '../../../assets/boot/dracut-module-setup.sh?raw'
import preUdev from '../../../assets/boot/dracut-pre-udev.sh?raw'
import { script, setting, type InitramfsTool } from './tool.ts'

const moduleFolder = '/usr/lib/dracut/modules.d/90handover'

export const dracut: InitramfsTool = {
  name: 'dracut',
  isInstalled: (has) => has('/usr/bin/dracut') || has('/usr/sbin/dracut'),
  files: [
    script(`${moduleFolder}/module-setup.sh`, moduleSetup),
    script(`${moduleFolder}/handover-bind.sh`, preUdev),
    setting('/etc/dracut.conf.d/handover.conf', 'add_dracutmodules+=" handover "'),
  ],
  make: (path, release) => ['dracut', '--force', path, release],
  makeAll: () => ({
    argv: ['dracut', '--force', '--regenerate-all'],
    outputs: ['/boot/initramfs-*.img', '/boot/initrd.img-*', '/boot/initrd-*'],
  }),
}
