#!/bin/sh
# The story of systemd-boot and kernel-install with either initramfs tool: an entry that kernel-install made, on an ESP.
# usage: as in overlay.sh, then dracut or initramfs-tools
set -eu
. "$1/test/boot/overlay.sh"
tool=$4
case $tool in
  dracut) install_packages dracut-core systemd-boot udev kmod cpio ;;
  *) install_packages initramfs-tools busybox systemd-boot udev kmod ;;
esac
export SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_ESP_PATH=/boot/efi
mkdir -p /boot/efi /etc/kernel
mount -t tmpfs tmpfs /boot/efi
bootctl --esp-path=/boot/efi --no-variables install > /tmp/bootctl.log 2>&1 || { tail -5 /tmp/bootctl.log >&2; exit 76; }
echo 'root=UUID=1111-2222 ro quiet' > /etc/kernel/cmdline
echo handover-test > /etc/kernel/entry-token
printf 'layout=bls\nBOOT_ROOT=/boot/efi\n' > /etc/kernel/install.conf
if [ "$tool" = dracut ]; then
  echo 'compress="cat"' > /etc/dracut.conf.d/test.conf
  dracut --force /tmp/initrd "$release" > /tmp/initramfs.log 2>&1 || { tail -5 /tmp/initramfs.log >&2; exit 77; }
  kernel-install add "$release" "/boot/vmlinuz-$release" /tmp/initrd > /tmp/kernel-install.log 2>&1 ||
    { tail -5 /tmp/kernel-install.log >&2; exit 78; }
else
  # The hook in /etc/initramfs/post-update.d calls kernel-install.
  update-initramfs -c -k "$release" > /tmp/initramfs.log 2>&1 || { tail -5 /tmp/initramfs.log >&2; exit 77; }
fi
# As on most machines: new kernels take the running command line.
rm /etc/kernel/cmdline
cd "$repository"
exec node --import ./scripts/raw-text.mjs --import tsx test/boot/real-entries-story.mts "$release" "$tool"
