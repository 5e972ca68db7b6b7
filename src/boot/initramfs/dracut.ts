/**
 * dracut (Fedora, RHEL, openSUSE). It accepts hooks only from modules, so handover installs a module. Both
 * dracut's own init and dracut-pre-udev.service source the pre-udev hooks before udevd starts
 * (dracut.bootup(7)), and load force_drivers after them.
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
