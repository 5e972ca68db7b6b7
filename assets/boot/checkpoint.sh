#!/bin/sh
# Writes the log of the file systems of these paths out. A boot loader reads a file system without its log (ext4, XFS, btrfs): after
# a power cut it would see the files as they were before, and the blocks of those may hold something else by then. A file system
# that is frozen has written its log out (FIFREEZE, ioctl_fsfreeze); it is thawed at once, whatever happens to the caller.
trap '' HUP INT TERM
seen=
for path in "$@"; do
  [ -e "$path" ] || path=${path%/*}
  mount=$(findmnt -n -o TARGET --target "$path" 2>/dev/null) || continue
  case $(findmnt -n -o FSTYPE --target "$path" 2>/dev/null) in ext3|ext4|xfs|btrfs) ;; *) continue ;; esac
  case "$seen" in *"|$mount|"*) continue ;; esac
  seen="$seen|$mount|"
  # While it freezes, nobody can write: what is dirty goes to the disk before.
  sync -f "$path" 2>/dev/null || sync
  # Should this very process be killed, the second one thaws.
  (sleep 30; fsfreeze --unfreeze "$mount") >/dev/null 2>&1 &
  second=$!
  if fsfreeze --freeze "$mount" 2>/dev/null; then
    tries=0
    until fsfreeze --unfreeze "$mount" 2>/dev/null; do
      tries=$((tries + 1))
      [ "$tries" -lt 600 ] || exit 1
      sleep 0.1
    done
  fi
  kill -KILL "$second" 2>/dev/null
  wait "$second" 2>/dev/null
done
exit 0
