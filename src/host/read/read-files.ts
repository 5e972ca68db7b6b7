/**
 * Reads the boot and module files that a plan may edit. boot/ and plan/ decide which of them matter on this
 * distribution.
 */
import {
  unitFolder,
  vmDropInPath,
  vmOfUnitFolder,
  vmTargetPath,
  vmTemplatePath,
} from '../../boot/vm-units.ts'
import { sleepPath } from '../../boot/host-setup.ts'
import { recoveryCardPath } from '../../boot/trial/recovery-card.ts'
import type { HostFile } from '../host.ts'
import { namesIn, type Reading } from './reading.ts'

/** Files that Handover writes. A plan compares their text with the wanted one. */
const own = [
  '/etc/handover/bind',
  '/etc/handover/bindings',
  '/etc/handover/trial',
  '/etc/handover/trial.conf',
  '/run/handover-trial/cmdline',
  '/run/handover-trial/dracut.d/zz-handover.conf',
  '/etc/handover/virtual-functions',
  '/etc/handover/make-virtual-functions',
  '/etc/tmpfiles.d/handover.conf',
  '/etc/udev/rules.d/10-handover.rules',
  '/etc/udev/rules.d/11-handover-virtual-functions.rules',
  '/etc/initramfs-tools/hooks/handover',
  '/etc/initramfs-tools/scripts/init-top/handover',
  '/usr/lib/dracut/modules.d/90handover/module-setup.sh',
  '/usr/lib/dracut/modules.d/90handover/handover-bind.sh',
  '/etc/initcpio/install/handover',
  '/etc/initcpio/hooks/handover',
  '/etc/handover/handover-bind.service',
  '/etc/systemd/system/handover-trial.service',
  '/etc/systemd/system/sysinit.target.d/handover.conf',
  vmTemplatePath,
  vmTargetPath,
  sleepPath,
  recoveryCardPath,
]

const single = [
  ...own,
  '/etc/default/grub',
  '/etc/initramfs-tools/modules',
  '/etc/mkinitcpio.conf',
  '/etc/kernel/cmdline',
  '/etc/kernel/install.conf',
  '/etc/kernel/uki.conf',
  '/etc/dracut.conf',
  '/boot/loader/loader.conf',
  '/efi/loader/loader.conf',
  '/boot/efi/loader/loader.conf',
  '/etc/kernel/proxmox-boot-uuids',
  '/etc/modules',
  '/boot/syslinux/syslinux.cfg',
  '/boot/config/vfio-pci.cfg',
]

const folders: readonly (readonly [folder: string, suffix: string])[] = [
  ['/etc/default/grub.d', '.cfg'],
  ['/etc/modprobe.d', '.conf'],
  ['/etc/modules-load.d', '.conf'],
  ['/etc/dracut.conf.d', '.conf'],
  ['/etc/mkinitcpio.conf.d', '.conf'],
  ['/etc/cmdline.d', '.conf'],
  ['/etc/mkinitcpio.d', '.preset'],
  ['/etc/driverctl.d', ''],
  ['/boot/loader/entries', '.conf'],
  ['/efi/loader/entries', '.conf'],
  ['/boot/efi/loader/entries', '.conf'],
]

/** Larger files are not read, since nobody writes a configuration of this size. */
const sizeLimit = 256 * 1024

export function readFiles(reading: Reading): HostFile[] {
  const paths = [...single]
  for (const [folder, suffix] of folders) {
    for (const name of namesIn(reading, folder)) if (name.endsWith(suffix)) paths.push(`${folder}/${name}`)
  }
  for (const name of namesIn(reading, unitFolder)) {
    const vm = vmOfUnitFolder(name)
    if (vm !== undefined) paths.push(vmDropInPath(vm))
  }
  const files: HostFile[] = []
  for (const path of paths) {
    const result = reading.system.readText(path, sizeLimit)
    if (!result.ok) {
      if (result.reason === 'unreadable' || result.reason === 'too-large') {
        reading.findings.push({
          code: 'unreadable',
          severity: 'note',
          message: `${path} cannot be read (${result.code ?? result.reason}), so its settings are not known`,
          help: 'run the same command as root to read it',
        })
      }
      continue
    }
    const stat = reading.system.stat(path)
    files.push({ path, text: result.value, ...(stat.ok ? { mode: stat.value.mode } : {}) })
  }
  return files
}
