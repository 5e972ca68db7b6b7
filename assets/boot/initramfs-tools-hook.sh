#!/bin/sh
# Written by handover. To undo: handover rollback.
# Puts the early binding into the initramfs, with everything it needs.
case $1 in prereqs) exit 0 ;; esac
# shellcheck disable=SC1091 # The package initramfs-tools provides the file.
. /usr/share/initramfs-tools/hook-functions
for file in /etc/handover/bind /etc/handover/bindings /etc/udev/rules.d/10-handover.rules; do
  [ -e "$file" ] || exit 0
  mkdir -p "${DESTDIR}${file%/*}"
  cp -p "$file" "${DESTDIR}$file"
done
[ -x /usr/bin/od ] && copy_exec /usr/bin/od
manual_add_modules vfio-pci
manual_add_modules vfio_iommu_type1
