#!/bin/sh
# Runs the story against the distribution's own tools in a copy of this system that disappears afterwards: an overlay in a
# mount namespace of its own. Nothing outside a temporary folder changes. Needs root, unshare, overlayfs and apt.
# usage: real-tools.sh REPOSITORY KERNEL_FOLDER RELEASE   (KERNEL_FOLDER holds vmlinux and modules/: the lab's cache)
set -eu
repository=$1 kernel=$2 release=$3
if [ -z "${INSIDE:-}" ]; then
  work=$(mktemp -d)
  trap 'rmdir "$work" 2>/dev/null || true' EXIT
  INSIDE=$work unshare -m sh -eu -c '
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$INSIDE"
    mkdir "$INSIDE/up" "$INSIDE/work" "$INSIDE/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$INSIDE/up,workdir=$INSIDE/work" "$INSIDE/root"
    exec chroot "$INSIDE/root" sh "$0" "$@"' "$repository/test/boot/real-tools.sh" "$@"
  exit
fi
export DEBIAN_FRONTEND=noninteractive
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null || true
{
  apt-get update -qq
  apt-get install -y --no-install-recommends initramfs-tools grub-common grub-pc-bin grub2-common busybox udev kmod
} > /tmp/apt.log 2>&1 || { tail -5 /tmp/apt.log >&2; exit 75; }
rm -rf /boot/* /var/lib/handover /etc/handover
mkdir -p /lib/modules /boot/grub /etc/default/grub.d
cp -r "$kernel/modules" "/lib/modules/$release"
# It is named in entries and never started here.
cp "$kernel/vmlinux" "/boot/vmlinuz-$release"
printf 'CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n' > "/boot/config-$release"
depmod "$release"
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
exec node --import tsx test/boot/real-tools-story.mts "$release"
