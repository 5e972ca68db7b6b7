#!/bin/sh
# systemd-boot, and unified kernel images that kernel-install makes with ukify: the arguments stand in /etc/kernel/cmdline.
set -e
echo 'root=LABEL=labroot console=ttyS0 mitigations=off no_timer_check quiet intel_iommu=off' >/etc/kernel/cmdline
echo 'layout=uki' >/etc/kernel/install.conf
# Makes an initramfs of its own size first; Debian's hook of systemd-boot installs nothing before the loader is there.
update-initramfs -u -k all
bootctl install --esp-path=/boot/efi
for kernel in /boot/vmlinuz-*; do kernel-install add "${kernel#/boot/vmlinuz-}" "$kernel"; done
read -r machine </etc/machine-id
printf 'timeout 1\ndefault %s-*\n' "$machine" >/boot/efi/loader/loader.conf
ls -l /boot/efi/EFI/Linux
