#!/bin/sh
# `measure`: small reads (4 KiB, past the page cache) from the first disk. Answers bytes and seconds.
for disk in /dev/sda /dev/vda; do
  [ -b $disk ] || continue
  blocks=$(sed -n 's/.*guest\.blocks=\([0-9]*\).*/\1/p' /proc/cmdline); blocks=${blocks:-1000}
  dd if=$disk of=/dev/null bs=4k count=50 iflag=direct 2>/dev/null
  read -r start _ </proc/uptime
  dd if=$disk of=/dev/null bs=4k count="$blocks" iflag=direct 2>/dev/null
  read -r stop _ </proc/uptime
  echo "measure ${disk##*/} $((blocks * 4096)) $(echo "$start $stop" | awk '{ printf "%.2f", $2 - $1 }')"
  break
done
