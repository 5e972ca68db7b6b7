#!/bin/sh
# What the host's configuration is, a line each, sorted: every file of /etc and /boot by hash, mode and owner; links by target; the
# rest of the system, where nothing may change at all, by size and time. systemd-boot writes a new random seed at every start;
# kernel-install has depmod write its indexes of the modules again, so these count by their bytes.
bytes() { sed 's/^\([0-9a-f]*\)  /bytes \1 /'; }
folders='/etc /boot'
mountpoint -q /boot/efi && folders="$folders /boot/efi"
for folder in $folders; do
  find "$folder" -xdev -type f ! -name random-seed -exec sha256sum {} + | bytes
  find "$folder" -xdev -type l -printf 'link %p %l\n'
  find "$folder" -xdev -printf 'mode %m %U:%G %p\n'
done | sort
find /usr /var /opt -xdev \( -path /opt/handover -o -path /var/log -o -path /var/lib/handover -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/cache -o -path '/usr/lib/modules/*/modules.*' \) -prune -o -type f -printf 'rest %s %T@ %m %p\n' | sort -k 5
find /usr/lib/modules -mindepth 2 -maxdepth 2 -type f -name 'modules.*' -exec sha256sum {} + | bytes | sort
find /usr/lib/modules -mindepth 2 -maxdepth 2 -type f -name 'modules.*' -printf 'mode %m %U:%G %p\n' | sort
