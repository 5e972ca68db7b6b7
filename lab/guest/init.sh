#!/bin/sh
# Process 1 of the lab's small guests. The role (firewall, media, bench) comes on the kernel command line as guest.role=…
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs run /run
role=$(sed -n 's/.*guest\.role=\([a-z]*\).*/\1/p' /proc/cmdline)
up() { read -r seconds _ </proc/uptime; echo "$seconds"; }
echo "guest: $role at $(up)"
load() { while read -r module; do insmod "/modules/$module" 2>/dev/null; done <"/modules/$1.order"; }
load base
echo "guest: base modules at $(up)"

# The report line: find the virtio-serial port by its name, there is no udev here.
for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name" 2>/dev/null)" = org.handover.report ] && report=/dev/${port##*/}
done
. "/roles/$role.sh"
echo "guest: role ready at $(up)"
# A port can be opened only once, hence <>; when the host hangs up, reading ends and the line is opened anew.
[ -n "$report" ] && while :; do /bin/agent.sh <>"$report" >&0 2>/dev/null; usleep 100000; done &
while :; do wait; sleep 60; done
