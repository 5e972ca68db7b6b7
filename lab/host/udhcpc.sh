#!/bin/sh
# What udhcpc calls when its lease changes.
case $1 in
deconfig) ip addr flush dev "$interface" ;;
bound | renew)
  ip addr flush dev "$interface"
  ip addr add "$ip/${mask:-24}" dev "$interface"
  ip route del default 2>/dev/null
  [ -n "$router" ] && ip route add default via "${router%% *}" dev "$interface"
  echo "address=$ip router=$router server=$serverid" >"/run/lease.$interface"
  ;;
esac
