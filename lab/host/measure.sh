#!/bin/sh
# Small reads (4 KiB, past the page cache) from the disk with a serial: measure.sh SERIAL BLOCKS → `measure BYTES SECONDS`.
for disk in /sys/block/sd*; do
  [ "$(tail -c +5 "$disk/device/vpd_pg80" | tr -d ' \0')" = "$1" ] || continue
  [ "$3" = name ] && { echo "/dev/${disk##*/}"; exit; }
  dd if="/dev/${disk##*/}" of=/dev/null bs=4k count=50 iflag=direct 2>/dev/null
  read -r start _ </proc/uptime
  dd if="/dev/${disk##*/}" of=/dev/null bs=4k count="$2" iflag=direct 2>/dev/null
  read -r stop _ </proc/uptime
  echo "measure $(($2 * 4096)) $(echo "$start $stop" | awk '{ printf "%.2f", $2 - $1 }')"
done
