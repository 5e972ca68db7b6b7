#!/bin/sh
# Written by handover. To undo: handover rollback.
# Makes the virtual functions listed in /etc/handover/virtual-functions, each card's only after its identity was checked.
# With an address it looks at that one card. handover=off on the kernel command line switches this off.
root=${HANDOVER_ROOT:-}
only=$1
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
said() { echo "handover: $1" > "$root/dev/kmsg" 2>/dev/null || echo "handover: $1" >&2; }
list=$root/etc/handover/virtual-functions
[ -r "$list" ] || exit 0
cmdline=
read -r cmdline < "$root/proc/cmdline"
case " $cmdline " in *" handover=off "*) exit 0 ;; esac

# shellcheck source=assets/boot/identity.sh
. ./identity.sh

# Makes $2 functions on the card in folder $1; without its driver nothing can, and its bind event comes later.
make() {
  [ -e "$1/driver" ] || return 1
  has=
  read -r has 2>/dev/null < "$1/sriov_numvfs"
  [ "$has" = "$2" ] && return 1
  if [ "$has" != 0 ]; then
    said "${1##*/} has ${has:-no} virtual functions, and $2 are wanted; they were left alone"
    return 1
  fi
  [ -e "$1/sriov_drivers_autoprobe" ] && echo 0 > "$1/sriov_drivers_autoprobe"
  echo "$2" > "$1/sriov_numvfs" || { said "${1##*/}: $2 virtual functions cannot be made"; return 1; }
  said "${1##*/} has $2 virtual functions"
}

# Set up first, then bound: no guest may see a function before its VLAN and MAC are set.
bind_all() {
  [ -n "$made" ] && [ -x "$root/etc/handover/bind" ] || return 0
  for one in "$made"/virtfn*; do
    [ -e "$one" ] && one=$(cd "$one" && pwd -P) && "$root/etc/handover/bind" "${one##*/}"
  done
}

made=
while read -r line; do
  # shellcheck disable=SC2086 # The words of the line become the arguments.
  set -- $line
  case $1 in
    ''|'#'*) continue ;;
    vf)
      [ -n "$made" ] || continue
      port=
      for one in "$made"/net/*; do [ -e "$one" ] && port=${one##*/} && break; done
      ip link set dev "$port" "$@" || said "${made##*/}: ip link set dev $port $* failed"
      continue ;;
  esac
  bind_all
  made='' path=$1 vendor=$2 device=$3 subvendor=$4 subdevice=$5 dsn=$6 count=$7
  find_recorded 'no virtual functions were made' && make "$found" "$count" && made=$found
done < "$list"
bind_all
exit 0
