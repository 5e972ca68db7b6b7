#!/bin/sh
# What the kernel says of every PCI function, a line each, without any help of the tool under test:
#   function ADDRESS VENDOR:DEVICE CLASS GROUP DRIVER OVERRIDE [mac=…] [disk=…]
for path in /sys/bus/pci/devices/*; do
  read -r vendor <"$path/vendor"; read -r device <"$path/device"; read -r class <"$path/class"; read -r override <"$path/driver_override"
  driver=-; [ -e "$path/driver" ] && driver=$(readlink "$path/driver")
  group=-; [ -e "$path/iommu_group" ] && group=$(readlink "$path/iommu_group")
  line="function ${path##*/} ${vendor#0x}:${device#0x} ${class#0x} ${group##*/} ${driver##*/} $override"
  for net in "$path"/net/*; do [ -e "$net/address" ] && read -r mac <"$net/address" && line="$line mac=$mac"; done
  for disk in "$path"/ata*/host*/target*/*/block/*; do
    [ -e "$disk/size" ] && line="$line disk=$(tail -c +5 "$disk/device/vpd_pg80" | tr -d ' \0')"
  done
  echo "$line"
done
