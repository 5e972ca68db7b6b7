#!/bin/sh
# Debian's own way: GRUB into the master boot record and the gap behind it, then its configuration.
set -e
disk=$(findmnt -no SOURCE / | sed 's/[0-9]*$//')
grub-install --target=i386-pc "$disk"
update-grub
