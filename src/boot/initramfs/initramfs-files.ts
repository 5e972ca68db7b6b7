/**
 * How the early binding gets into an initramfs, for each tool that makes one: a hook that copies the script, the bindings and
 * the udev rule, and one that runs the script before udev is asked to go through the devices (the "trigger"), with an
 * init of its own as well as with systemd inside. Text only.
 */
import dracutSetup from '../../../assets/boot/dracut-module-setup.sh?raw'
import dracutPreUdev from '../../../assets/boot/dracut-pre-udev.sh?raw'
import bindUnit from '../../../assets/boot/handover-bind.service?raw'
import initramfsToolsHook from '../../../assets/boot/initramfs-tools-hook.sh?raw'
import initramfsToolsInitTop from '../../../assets/boot/initramfs-tools-init-top.sh?raw'
import mkinitcpioHook from '../../../assets/boot/mkinitcpio-hook.sh?raw'
import mkinitcpioInstall from '../../../assets/boot/mkinitcpio-install.sh?raw'
import type { InitramfsTool } from './early-binding.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { scriptText } from '../script.ts'

const script = (path: string, asset: string, mode = 0o755): OwnFile => ({ path, mode, text: scriptText(asset) })
const setting = (path: string, line: string): OwnFile => ({ path, mode: 0o644, text: `${ownHeader}\n${line}\n` })

const dracutModule = '/usr/lib/dracut/modules.d/90handover'

const filesOf: Readonly<Record<InitramfsTool, readonly OwnFile[]>> = {
  'initramfs-tools': [
    script('/etc/initramfs-tools/hooks/handover', initramfsToolsHook),
    script('/etc/initramfs-tools/scripts/init-top/handover', initramfsToolsInitTop),
  ],
  // A module of its own: dracut takes hooks from nowhere else. Hooks of pre-udev are sourced before udevd starts, by dracut's
  // own init and by dracut-pre-udev.service alike (dracut.bootup(7)); force_drivers are loaded after them.
  dracut: [
    script(`${dracutModule}/module-setup.sh`, dracutSetup),
    script(`${dracutModule}/handover-bind.sh`, dracutPreUdev),
    setting('/etc/dracut.conf.d/handover.conf', 'add_dracutmodules+=" handover "'),
  ],
  // Drop-ins are read since mkinitcpio 36. Early hooks run before the udev hook triggers (init, hooks/udev); the systemd hook
  // runs none, so there a unit does it. The hook stands last, so that it sees which of the two the image has.
  mkinitcpio: [
    script('/etc/initcpio/install/handover', mkinitcpioInstall, 0o644),
    script('/etc/initcpio/hooks/handover', mkinitcpioHook, 0o644),
    script('/etc/handover/handover-bind.service', bindUnit, 0o644),
    setting('/etc/mkinitcpio.conf.d/handover.conf', 'HOOKS+=(handover)'),
  ],
}

export function initramfsFiles(tool: InitramfsTool): readonly OwnFile[] {
  return filesOf[tool]
}
