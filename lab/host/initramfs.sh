#!/bin/busybox sh
# First process of the lab host: find the root disk behind the chipset's own SATA controller and hand over to it.
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
for module in $($bb cat /modules.order); do $bb insmod "/modules/$module"; done
tries=0
until [ -b /dev/sda1 ] || [ -b /dev/sda ]; do
  tries=$((tries + 1))
  [ $tries -gt 200 ] && { echo "lab: no root disk"; $bb poweroff -f; }
  $bb usleep 50000
done
# Disks are named in the order they answer, so the root disk is found by its label, as a real initramfs does.
for disk in /dev/sd?; do
  [ "$($bb dd if="$disk" bs=1 skip=1144 count=8 2>/dev/null)" = labhost ] || continue
  $bb mount -t ext4 -o rw,noatime "$disk" /root
  break
done
[ -x /root/sbin/init ] || { echo "lab: no root file system"; $bb poweroff -f; }
$bb mount --move /dev /root/dev
$bb umount /proc /sys
[ -d /overlay ] && $bb cp -a /overlay/. /root/
exec $bb switch_root /root /sbin/init
