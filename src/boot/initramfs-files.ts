/**
 * How the early binding gets into an initramfs, for each tool that makes one: a hook that copies the script, the bindings and
 * the udev rule, and one that runs the script before udev is asked to go through the devices (the "trigger"), with an
 * init of its own as well as with systemd inside. Text only.
 */
import type { InitramfsTool } from './early-binding.ts'
import { ownHeader, type OwnFile } from './own-file.ts'

type BindingPaths = { readonly bind: string; readonly bindings: string; readonly rule: string }

export function initramfsFiles(tool: InitramfsTool, paths: BindingPaths): OwnFile[] {
  switch (tool) {
    case 'initramfs-tools':
      return forInitramfsTools(paths)
    case 'dracut':
      return forDracut(paths)
    case 'mkinitcpio':
      return forMkinitcpio(paths)
  }
}

function forInitramfsTools({ bind, bindings, rule }: BindingPaths): OwnFile[] {
  return [
    {
      path: '/etc/initramfs-tools/hooks/handover',
      mode: 0o755,
      text: `#!/bin/sh
${ownHeader}
# Puts the early binding into the initramfs, with everything it needs.
case $1 in prereqs) exit 0 ;; esac
. /usr/share/initramfs-tools/hook-functions
for file in ${bind} ${bindings} ${rule}; do
  [ -e "$file" ] || exit 0
  mkdir -p "\${DESTDIR}\${file%/*}"
  cp -p "$file" "\${DESTDIR}$file"
done
[ -x /usr/bin/od ] && copy_exec /usr/bin/od
manual_add_modules vfio-pci
manual_add_modules vfio_iommu_type1
`,
    },
    {
      path: '/etc/initramfs-tools/scripts/init-top/handover',
      mode: 0o755,
      text: `#!/bin/sh
${ownHeader}
# Runs before udev loads the drivers of devices; the udev rule catches those that appear later.
case $1 in prereqs) exit 0 ;; esac
[ -x ${bind} ] && ${bind}
exit 0
`,
    },
  ]
}

/**
 * A module of our own: dracut takes hooks from nowhere else. Hooks of pre-udev are sourced before udevd starts, by dracut's
 * own init and by dracut-pre-udev.service alike (dracut.bootup(7)); force_drivers are loaded after them.
 */
function forDracut({ bind, bindings, rule }: BindingPaths): OwnFile[] {
  const module = '/usr/lib/dracut/modules.d/90handover'
  return [
    {
      path: `${module}/module-setup.sh`,
      mode: 0o755,
      text: `#!/bin/bash
${ownHeader}
# Puts the early binding into the initramfs, with everything it needs, hostonly or not.
check() { [ -e ${bindings} ]; }
depends() { return 0; }
installkernel() { hostonly='' instmods vfio-pci; }
install() {
  inst_multiple od readlink
  inst_simple ${bind}
  inst_simple ${bindings}
  inst_simple ${rule}
  inst_hook pre-udev 10 "$moddir/handover-bind.sh"
}
`,
    },
    {
      path: `${module}/handover-bind.sh`,
      mode: 0o755,
      text: `#!/bin/sh
${ownHeader}
# Sourced before udev loads the drivers of devices; the udev rule catches those that appear later.
[ -x ${bind} ] && ${bind}
`,
    },
    {
      path: '/etc/dracut.conf.d/handover.conf',
      mode: 0o644,
      text: `${ownHeader}
add_dracutmodules+=" handover "
`,
    },
  ]
}

/**
 * Drop-ins are read since mkinitcpio 36. Early hooks run before the udev hook triggers (init, hooks/udev); the systemd hook
 * runs none, so there a unit does it. Our hook stands last, so that it sees which of the two the image has.
 */
function forMkinitcpio({ bind, bindings, rule }: BindingPaths): OwnFile[] {
  const unit = 'handover-bind.service'
  return [
    {
      path: '/etc/initcpio/install/handover',
      mode: 0o644,
      text: `#!/bin/bash
${ownHeader}
build() {
  add_module vfio-pci
  add_binary od
  add_binary readlink
  add_file ${bind}
  add_file ${bindings}
  add_file ${rule}
  if [[ -e $BUILDROOT/usr/lib/systemd/system/systemd-udev-trigger.service ]]; then
    [[ -e $BUILDROOT/usr/bin/sh ]] || add_binary /usr/bin/sh
    add_file /etc/handover/${unit} /usr/lib/systemd/system/${unit}
    add_symlink /usr/lib/systemd/system/sysinit.target.wants/${unit} ../${unit}
  else
    add_runscript
  fi
}
help() { echo 'Gives devices to vfio-pci before their own drivers see them, each after its identity was checked.'; }
`,
    },
    {
      path: '/etc/initcpio/hooks/handover',
      mode: 0o644,
      text: `#!/usr/bin/ash
${ownHeader}
run_earlyhook() { [ ! -x ${bind} ] || ${bind}; }
`,
    },
    {
      path: `/etc/handover/${unit}`,
      mode: 0o644,
      text: `${ownHeader}
[Unit]
Description=Handover: keep devices for virtual machines
DefaultDependencies=no
Before=systemd-udev-trigger.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${bind}
`,
    },
    {
      path: '/etc/mkinitcpio.conf.d/handover.conf',
      mode: 0o644,
      text: `${ownHeader}
HOOKS+=(handover)
`,
    },
  ]
}
