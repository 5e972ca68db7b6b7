# shellcheck shell=sh
# shellcheck disable=SC2154 # The script that includes this sets root, only, path and the recorded ids; eval sets b0 to b3.
# A sysfs number without 0x; nothing when it cannot be read.
number() { value=; read -r value 2>/dev/null < "$1"; echo "${value#0x}"; }

# Extended capability 3: the Device Serial Number, high half first; "unread" when it cannot be read.
serial() {
  command -v od >/dev/null 2>&1 || { echo unread; return; }
  # shellcheck disable=SC2046 # Each byte must become one word.
  set -- $(od -An -v -tx1 -j256 -N3840 "$1/config" 2>/dev/null)
  [ $# -ge 12 ] || { echo unread; return; }
  at=256 hops=0
  while [ $hops -lt 64 ]; do
    hops=$((hops + 1)) skip=$((at - 256))
    if [ $skip -lt 0 ] || [ $((skip + 12)) -gt $# ]; then break; fi
    eval "b0=\${$((skip + 1))} b1=\${$((skip + 2))} b2=\${$((skip + 3))} b3=\${$((skip + 4))}"
    if [ "$b1$b0" = 0003 ]; then
      text=
      for k in 12 11 10 9 8 7 6 5; do eval "text=$text\${$((skip + k))}"; done
      echo "$text"
      return
    fi
    at=$(( (0x$b3$b2 >> 4) & 0xffc ))
    [ $at -ge 256 ] || break
  done
  echo none
}

# The device at a place such as 0000:00/1c.0/00.0: root bus, then slot.function at each step down; a step with a colon is
# a root bus inside (VMD), vf3 a virtual function.
find_device() {
  left=${1#*/} found='' here=$root/sys/devices/pci${1%%/*}
  while [ -n "$left" ] && [ -d "$here" ]; do
    step=${left%%/*} next=
    case $left in */*) left=${left#*/} ;; *) left= ;; esac
    case $step in
      *:*) next=$here/pci$step ;;
      vf*) next=$(cd "$here/virtfn${step#vf}" 2>/dev/null && pwd -P) ;;
      *) for one in "$here"/*:*:"$step"; do [ -d "$one" ] && next=$one; done ;;
    esac
    here=$next
  done
  [ -d "$here" ] && found=$here
}

check() { [ "$2" = - ] || [ "$3" = "$2" ] || { wrong="$1 is ${3:-unreadable}, recorded is $2"; return 1; }; }

# Is it the device of the line that was read last? If not, $wrong says what differs.
is_recorded() {
  wrong=
  check vendor "$vendor" "$(number "$1/vendor")" && check device "$device" "$(number "$1/device")" &&
    check 'subsystem vendor' "$subvendor" "$(number "$1/subsystem_vendor")" &&
    check 'subsystem device' "$subdevice" "$(number "$1/subsystem_device")" &&
    { [ "$dsn" = - ] || check 'serial number' "$dsn" "$(serial "$1")"; }
}

find_recorded() {
  find_device "$path"
  if [ -z "$found" ]; then
    [ -n "$only" ] || said "no device at $path; $1 there"
    return 1
  fi
  [ -z "$only" ] || [ "${found##*/}" = "$only" ] || return 1
  is_recorded "$found" && return 0
  said "${found##*/} at $path is not the recorded device ($wrong); $1"
  return 1
}
