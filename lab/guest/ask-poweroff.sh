#!/bin/sh
# `poweroff`: the guest goes down by itself, a moment after it has said so.
[ -e /run/writer ] && kill "$(cat /run/writer)" && usleep 300000
umount -a -r 2>/dev/null
(usleep 200000; poweroff -f) &
