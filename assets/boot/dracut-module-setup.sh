#!/bin/bash
# Written by handover. To undo: handover rollback.
# Puts the early binding into the initramfs, with everything it needs, hostonly or not.
check() { [ -e /etc/handover/bindings ]; }
depends() { return 0; }
installkernel() { hostonly='' instmods vfio-pci; }
install() {
  inst_multiple od readlink
  inst_simple /etc/handover/bind
  inst_simple /etc/handover/bindings
  inst_simple /etc/udev/rules.d/10-handover.rules
  # shellcheck disable=SC2154 # The variable moddir is set by dracut, which sources this file.
  inst_hook pre-udev 10 "$moddir/handover-bind.sh"
}
