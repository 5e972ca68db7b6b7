#!/bin/sh
# What the host's configuration is, a line each, sorted: every file of /etc and /boot by hash, mode and owner; links by target; the
# rest of the system, where nothing may change at all, by size and time. systemd-boot makes its random seed anew at every start.
folders='/etc /boot'
mountpoint -q /boot/efi && folders="$folders /boot/efi"
for folder in $folders; do
  find "$folder" -xdev -type f ! -name random-seed -exec sha256sum {} + | sed 's/^\([0-9a-f]*\)  /bytes \1 /'
  find "$folder" -xdev -type l -printf 'link %p %l\n'
  find "$folder" -xdev -printf 'mode %m %U:%G %p\n'
done | sort
find /usr /var /opt -xdev \( -path /opt/handover -o -path /var/log -o -path /var/lib/handover -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/cache \) -prune -o -type f -printf 'rest %s %T@ %m %p\n' | sort -k 5
