#!/bin/sh
# Written by handover. To undo: handover rollback.
# On a trial boot: checks the host, waits for `handover confirm`, and otherwise reboots into the old entry.
root=${HANDOVER_ROOT:-}
conf=$root/etc/handover/trial.conf
health=$root/run/handover/trial-health
cmdline=
read -r cmdline < "$root/proc/cmdline"
case " $cmdline " in *" handover.trial=1 "*) ;; *) exit 0 ;; esac
[ -r "$conf" ] || exit 0
mkdir -p "$root/run/handover" "$root/var/lib/handover"

uptime() { read -r up rest < "$root/proc/uptime"; echo "${up%%.*}"; }

is_mounted() {
  while read -r _ point _; do [ "$point" = "$1" ] && return 0; done < "$root/proc/mounts"
  return 1
}

# Destination 00000000 with mask 00000000 (fields 2 and 8), or the same for IPv6.
has_route() {
  while read -r _ to _ _ _ _ _ mask _; do
    [ "$to" = 00000000 ] && [ "$mask" = 00000000 ] && return 0
  done < "$root/proc/net/route"
  while read -r to length rest; do
    case $rest in *' lo') continue ;; esac
    [ "$to" = 00000000000000000000000000000000 ] && [ "$length" = 00 ] && return 0
  done < "$root/proc/net/ipv6_route"
  return 1
} 2>/dev/null

# The kernel's own list of addresses: a leaf `|-- ADDRESS`, and below it `/32 host LOCAL`.
has_address() {
  leaf=
  while read -r mark name kind rest; do
    [ "$mark" = '|--' ] && leaf=$name
    [ "$leaf" = "$1" ] && [ "$mark $name $kind" = '/32 host LOCAL' ] && return 0
  done < "$root/proc/net/fib_trie"
  return 1
} 2>/dev/null

# Prints the first thing that is wrong, or nothing.
look() {
  while read -r what one two; do
    case $what in
      mount) is_mounted "$one" || { printf '%s is not mounted\n' "$one"; return; } ;;
      route) has_route || { echo "there is no default route$behind"; return; } ;;
      address) has_address "$one" || { echo "the host does not have its address $one$behind"; return; } ;;
      driver)
        is=$(readlink "$root/sys/bus/pci/devices/$one/driver" 2>/dev/null)
        [ "${is##*/}" = "$two" ] || { echo "$one has driver ${is##*/}, expected $two"; return; } ;;
    esac
  done < "$conf"
  HANDOVER_ROOT=$root "$root/etc/handover/bind" check
}

minutes=10
longest=0 waiting=
while read -r what one two; do
  case $what in
    minutes) minutes=$one ;;
    wait) waiting="$waiting $two"; [ "$one" -le "$longest" ] || longest=$one ;;
  esac
done < "$conf"
# A host that reaches its network through its firewall VM is not judged before that VM may be up.
patience=$((minutes * 30))
[ "$longest" -le "$patience" ] || patience=$longest

go_back() {
  printf 'the trial boot was given up after %s minutes: %s\n' "$(($(uptime) / 60))" "$1" > "$root/var/lib/handover/trial-result"
  sync
  echo "handover: going back to the old boot entry: $1" > "$root/dev/kmsg" 2>/dev/null
  [ -n "$root" ] && exit 7
  systemctl reboot || reboot -f
  sleep 60
}

# Nobody can confirm a broken host: after half of the time (or when its VMs may be up), a host that was broken
# for a minute goes back.
sick=0
while :; do
  now=$(uptime) behind=
  [ -z "$waiting" ] || [ "$now" -ge "$patience" ] || behind=" yet, and may get it from:$waiting"
  wrong=$(look)
  # By rename, so that a reader never sees half of the file.
  printf '%s\n' "${wrong:-healthy}" > "$health.new" && mv "$health.new" "$health"
  [ -e "$root/run/handover/confirmed" ] && exit 0
  [ -n "$wrong" ] || sick=$now
  [ "$now" -ge $((minutes * 60)) ] && go_back "${wrong:-nobody confirmed it}"
  [ $((now - sick)) -ge 60 ] && [ "$now" -ge "$patience" ] && go_back "$wrong"
  sleep "${HANDOVER_SLEEP:-2}"
done
