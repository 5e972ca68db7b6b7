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
  case $path in ''|'#'*|guest|host) continue ;; esac
  if [ "$path" = only-with ]; then
    case " $cmdline " in *" $vendor "*) continue ;; *) break ;; esac
  fi
  find_recorded 'nothing was bound' && take "$found"
done < "$list"
[ -z "$checking" ] || exit 0

# A storage controller of a VM that is not in its place may be in another one, or its disks may be behind what is there
# now, and the host would assemble or import them. What could be it gets no driver, unless the host had it when this list
# was written. Where a controller of the host is not in its place either, nothing is held that could be that one.
hold() {
  name=${1##*/} driver='' override=''
  [ -z "$only" ] || [ "$name" = "$only" ] || return
  case $(number "$1/class") in 01*) ;; *) return ;; esac
  kind="$(number "$1/vendor"):$(number "$1/device")" could_be=''
  case " $missing " in *" $kind "*) could_be=$kind ;; esac
  case " $displaced " in *" $name "*) could_be=: ;; esac
  [ -n "$could_be" ] || return
  case " $hosts " in *" $name "*) return ;; esac
  read -r override 2>/dev/null < "$1/driver_override"
  case $override in vfio-pci|handover-held) return ;; esac
  case " $unsure " in
    *" "*"$could_be"*) said "$name may be a controller of a virtual machine or of the host, and is left to the host"; return ;;
  esac
  [ -e "$1/driver" ] && driver=$(readlink "$1/driver") && driver=${driver##*/}
  [ -n "$driver" ] && [ -n "$only" ] && { said "$name: $driver has it already, and it may be a virtual machine's"; return; }
  echo handover-held > "$1/driver_override" || { said "$name: driver_override cannot be written"; return; }
  [ -z "$driver" ] || echo "$name" > "$1/driver/unbind"
  said "$name gets no driver: it may be a virtual machine's controller that is not in its place; see handover inspect"
}

missing='' displaced='' hosts='' unsure=''
while read -r whose path vendor device subvendor subdevice dsn; do
  case $whose in
    only-with) case " $cmdline " in *" $path "*) continue ;; *) break ;; esac ;;
    guest|host) ;;
    *) continue ;;
  esac
  find_device "$path"
  if [ -n "$found" ] && is_recorded "$found"; then
    [ "$whose" = guest ] || hosts="$hosts ${found##*/}"
  elif [ "$whose" = guest ]; then missing="$missing $vendor:$device" displaced="$displaced ${found##*/}"
  else unsure="$unsure $vendor:$device"
  fi
done < "$list"
[ -n "$missing" ] || exit 0
for one in "$root"/sys/bus/pci/devices/*; do hold "$one"; done
exit 0
