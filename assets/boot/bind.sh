#!/bin/sh
# Written by handover. To undo: handover rollback.
# Gives the devices listed in /etc/handover/bindings to vfio-pci, each only after its identity was checked.
# handover=off on the kernel command line switches this off.
root=${HANDOVER_ROOT:-}
only=$1 checking=
[ "$only" = check ] && checking=yes only=
said() { echo "handover: $1" > "$root/dev/kmsg" 2>/dev/null || echo "handover: $1" >&2; }
# With `check` nothing is changed: each device that is not kept is named on standard output.
[ -n "$checking" ] && said() { echo "$1"; }
list=$root/etc/handover/bindings
[ -r "$list" ] || exit 0
cmdline=
read -r cmdline < "$root/proc/cmdline"
case " $cmdline " in *" handover=off "*) exit 0 ;; esac

# shellcheck source=assets/boot/identity.sh
. ./identity.sh

# The only reset methods the device may use, in order: words of its reset_method (Linux 5.15).
limit_resets() {
  [ -n "$resets" ] && [ -e "$1/reset_method" ] || return 0
  file=$1/reset_method before=$IFS IFS=,
  # shellcheck disable=SC2086 # IFS splits the list at its commas.
  set -- $resets
  IFS=$before
  read -r is < "$file"
  [ "$is" = "$*" ] || echo "$*" > "$file" || said "$name: reset_method cannot be set to $*"
}

take() {
  device=$1 name=${1##*/} driver=
  if [ -n "$checking" ]; then
    driver=$(readlink "$device/driver" 2>/dev/null)
    [ "${driver##*/}" = vfio-pci ] || said "$name has driver ${driver##*/}, expected vfio-pci"
    return
  fi
  limit_resets "$device"
  echo vfio-pci > "$device/driver_override" || { said "$name: driver_override cannot be written"; return; }
  [ -e "$device/driver" ] && driver=$(readlink "$device/driver") && driver=${driver##*/}
  [ "$driver" = vfio-pci ] && return
  if [ -n "$driver" ]; then
    [ -n "$only" ] && { said "$name: $driver has it already and keeps it until the next boot or: handover apply"; return; }
    echo "$name" > "$device/driver/unbind"
  fi
  [ -n "$only" ] || modprobe vfio-pci 2>/dev/null
  echo "$name" > "$root/sys/bus/pci/drivers_probe" 2>/dev/null
  said "$name is kept for a virtual machine"
}

while read -r path vendor device subvendor subdevice dsn resets; do
  case $path in ''|'#'*) continue ;; esac
  if [ "$path" = only-with ]; then
    case " $cmdline " in *" $vendor "*) continue ;; *) exit 0 ;; esac
  fi
  find_recorded 'nothing was bound' && take "$found"
done < "$list"
exit 0
