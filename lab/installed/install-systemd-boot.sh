#!/bin/sh
# systemd-boot on the EFI system partition, and the kernel with dracut's initramfs as a boot entry, by kernel-install.
set -e
bootctl install --esp-path=/boot/efi
for kernel in /boot/vmlinuz-*; do
  release=${kernel#/boot/vmlinuz-}
  kernel-install add "$release" "$kernel"
done
