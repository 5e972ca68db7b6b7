#!/bin/sh
# Process 1 of the lab host: mounts, drivers, the bridge the host lives on, and the agent that runs what the lab asks for.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/net
mount -t devpts pts /dev/pts
[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
hostname labhost
ip link set lo up

# The agent's line comes first: the lab sees a host that answers while drivers still load.
/lib/lab/agent.sh </dev/ttyS1 >/dev/ttyS1 2>/dev/null &

for module in $(cat /lib/lab/modules.order); do insmod "/lib/modules/$(uname -r)/$module" 2>/dev/null; done
modprobe -qa $(cat /sys/bus/pci/devices/*/modalias | sort -u)
if grep -qw svm /proc/cpuinfo; then modprobe -q kvm_amd; else modprobe -q kvm_intel; fi

# The management NIC hangs on br0. Its address comes from whoever serves the house network: the firewall VM, once it runs.
mac=$(cat /lib/lab/management-mac)
tries=0
until nic=$(grep -l "$mac" /sys/class/net/*/address 2>/dev/null | head -n 1) && [ -n "$nic" ]; do
  tries=$((tries + 1)); [ $tries -gt 100 ] && break
  usleep 50000
done
nic=${nic%/address}; nic=${nic##*/}
ip link add br0 type bridge forward_delay 0
ip link set br0 address "$mac"
ip link set "$nic" master br0
ip link set "$nic" up
ip link set br0 up
udhcpc -b -S -i br0 -s /lib/lab/udhcpc.sh -t 600 -T 1 -A 1 -p /run/udhcpc.br0.pid >/run/udhcpc.log 2>&1 &
# A disk of that serial is the host's own data: mounted, and so nothing to give away.
data=$(/lib/lab/measure.sh HOST-DATA 1 name)
if [ -n "$data" ]; then mkdir -p /srv; mount -t ext4 -o ro,noload "$data" /srv; fi
touch /run/lab-ready
# What every guest's start reads, read ahead while the host is looked at.
cat /usr/bin/qemu-system-x86_64 /guests/* >/dev/null &
while :; do wait; sleep 60; done
