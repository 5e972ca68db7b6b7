# The media server: its disks by serial, read-only; its network on the house bridge; a picture on the screen it owns.
load media
ip link set lo up
nic=$(for net in /sys/class/net/*; do [ -e "$net/device" ] && echo "${net##*/}"; done | head -n 1)
ip link set "$nic" up
udhcpc -q -S -i "$nic" -s /etc/udhcpc.sh -t 20 -T 1 -n >/run/udhcpc.log 2>&1
tries=0
until ls /dev/sd? >/dev/null 2>&1 || [ $tries -gt 100 ]; do usleep 50000; tries=$((tries + 1)); done
mkdir -p /media
for disk in /sys/block/sd*; do
  serial=$(tail -c +5 "$disk/device/vpd_pg80" | tr -d ' \0')
  mkdir -p "/media/$serial"
  mount -t ext4 -o ro,noload "/dev/${disk##*/}" "/media/$serial" && echo "mounted $serial ${disk##*/}" >>/run/facts
done
if [ -e /dev/fb0 ]; then
  # Clear the text console away, then paint.
  echo 0 >/sys/class/vtconsole/vtcon1/bind 2>/dev/null
  zcat /etc/pattern.gz >/dev/fb0 2>/dev/null
  echo "painted $(cat /sys/class/graphics/fb0/name) $(cat /sys/class/graphics/fb0/virtual_size)" >>/run/facts
fi
httpd -p 80 -h /media
