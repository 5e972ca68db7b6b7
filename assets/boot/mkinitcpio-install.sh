#!/bin/bash
# Written by handover. To undo: handover rollback.
build() {
  add_module vfio-pci
  add_binary od
  add_binary readlink
  add_file /etc/handover/bind
  add_file /etc/handover/bindings
  add_file /etc/udev/rules.d/10-handover.rules
  if [[ -e $BUILDROOT/usr/lib/systemd/system/systemd-udev-trigger.service ]]; then
    [[ -e $BUILDROOT/usr/bin/sh ]] || add_binary /usr/bin/sh
    add_file /etc/handover/handover-bind.service /usr/lib/systemd/system/handover-bind.service
    add_symlink /usr/lib/systemd/system/sysinit.target.wants/handover-bind.service ../handover-bind.service
  else
    add_runscript
  fi
}
help() { echo 'Gives devices to vfio-pci before their own drivers see them, each after its identity was checked.'; }
