#!/bin/sh
# `report`: what this guest sees on its PCI bus, and its addresses.
echo "system linux $(uname -r)"
for path in /sys/bus/pci/devices/*; do
  [ -e "$path/vendor" ] || continue
  read -r vendor <"$path/vendor"; read -r device <"$path/device"; read -r class <"$path/class"
  line="device ${path##*/} vendor=${vendor#0x} device=${device#0x} class=${class#0x}"
  if [ -e "$path/driver" ]; then driver=$(readlink "$path/driver"); line="$line driver=${driver##*/}"; fi
  for net in "$path"/net/*; do
    [ -e "$net/address" ] || continue
    read -r mac <"$net/address"; carrier=0; read -r carrier 2>/dev/null <"$net/carrier"
    line="$line interface=${net##*/} mac=$mac link=$carrier"
  done
  for disk in "$path"/ata*/host*/target*/*/block/* "$path"/virtio*/block/*; do
    [ -e "$disk/size" ] || continue
    read -r size <"$disk/size"
    serial=$(tail -c +5 "$disk/device/vpd_pg80" 2>/dev/null | tr -d ' \0'); [ -n "$serial" ] || serial=$(cat "$disk/serial" 2>/dev/null)
    line="$line disk=${disk##*/}:$serial:$((size * 512))"
  done
  echo "$line"
done
ip -o -4 addr show | while read -r _ interface _ address _; do [ "$interface" = lo ] || echo "address $interface $address"; done
cat /run/facts 2>/dev/null
