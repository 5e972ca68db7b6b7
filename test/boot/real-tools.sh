#!/bin/sh
# The story of Debian's GRUB and initramfs-tools.
set -eu
. "$1/test/boot/overlay.sh"
install_packages initramfs-tools grub-common grub-pc-bin grub2-common busybox udev kmod
mkdir -p /boot/grub /etc/default/grub.d
# An overlay has no device under it: grub-probe is the one tool that is played, the rest of GRUB is real.
rm -f /usr/sbin/grub-probe
cat > /usr/sbin/grub-probe <<'PROBE'
#!/bin/sh
target=
for word in "$@"; do
  case $word in
    --target=*) target=${word#--target=} ;;
    -t) target=next ;;
    *) if [ "$target" = next ]; then target=$word; fi ;;
  esac
done
case $target in
  device) echo /dev/sda1 ;;
  fs) echo ext2 ;;
  fs_uuid) echo 1111-2222 ;;
  partmap) echo msdos ;;
  abstraction) ;;
  *) echo hd0,msdos1 ;;
esac
PROBE
chmod +x /usr/sbin/grub-probe
cat > /etc/default/grub <<'GRUB'
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
GRUB
update-initramfs -c -k "$release" > /tmp/initramfs.log 2>&1 || { tail -5 /tmp/initramfs.log >&2; exit 76; }
grub-editenv /boot/grub/grubenv create
update-grub > /tmp/grub.log 2>&1 || { tail -5 /tmp/grub.log >&2; exit 77; }
cd "$repository"
exec node --import ./scripts/raw-text.mjs --import tsx test/boot/real-tools-story.mts "$release"
