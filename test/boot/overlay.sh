# Sourced by the scripts here: from its second line on, a script runs in a copy of this system that disappears afterwards, an
# overlay in a mount namespace of its own. Nothing outside a temporary folder changes. Needs root, unshare and overlayfs.
# usage: SCRIPT REPOSITORY KERNEL_FOLDER RELEASE   (KERNEL_FOLDER holds vmlinux and modules/: the lab's cache)
repository=$1 kernel=$2 release=$3
if [ -z "${INSIDE:-}" ]; then
  work=$(mktemp -d)
  trap 'rmdir "$work" 2>/dev/null || true' EXIT
  INSIDE=$work unshare -m sh -eu -c '
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$INSIDE"
    mkdir "$INSIDE/up" "$INSIDE/work" "$INSIDE/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$INSIDE/up,workdir=$INSIDE/work" "$INSIDE/root"
    exec chroot "$INSIDE/root" sh "$0" "$@"' "$repository/test/boot/$(basename "$0")" "$@"
  exit
fi
export DEBIAN_FRONTEND=noninteractive
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null || true

# The packages given, and a kernel of the lab in their places; it is named in entries and never started here.
install_packages() {
  {
    apt-get update -qq
    apt-get install -y --no-install-recommends "$@"
  } > /tmp/apt.log 2>&1 || { tail -5 /tmp/apt.log >&2; exit 75; }
  rm -rf /boot/* /var/lib/handover /etc/handover
  mkdir -p /lib/modules
  cp -r "$kernel/modules" "/lib/modules/$release"
  cp "$kernel/vmlinux" "/boot/vmlinuz-$release"
  printf 'CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n' > "/boot/config-$release"
  depmod "$release"
}
