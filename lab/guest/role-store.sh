# The store: its disk, writable; a file at a time, and a line on the console when that file is on the disk.
load media
ip link set lo up
nic=$(for net in /sys/class/net/*; do [ -e "$net/device" ] && echo "${net##*/}"; done | head -n 1)
ip link set "$nic" up
udhcpc -q -S -i "$nic" -s /etc/udhcpc.sh -t 20 -T 1 -n >/run/udhcpc.log 2>&1
tries=0
until [ -e /dev/sda ] || [ $tries -gt 100 ]; do usleep 50000; tries=$((tries + 1)); done
mkdir -p /media
mount -t ext4 /dev/sda /media && echo "mounted store sda" >>/run/facts
httpd -p 80 -h /media
number=$(find /media -name 'f*' | sed 's/.*f//' | sort -n | tail -n 1)
write() {
  number=${number:-0}
  while [ "$number" -lt 3000 ]; do
    number=$((number + 1))
    dd if=/dev/urandom of="/media/f$number" bs=4096 count=4 conv=fsync 2>/dev/null && sync || return
    echo "ack f$number $(sha256sum <"/media/f$number" | cut -c 1-16)" >/dev/console
    usleep 100000
  done
}
grep -q ' /media ext4 rw' /proc/mounts && { write & echo $! >/run/writer; }
