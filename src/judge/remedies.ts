/**
 * How a kernel parameter is added or removed on exactly this host, by the files it has and the distribution it is. Words
 * only: what a plan changes is decided elsewhere. Facts: domain notes §6.1 (Debian, Fedora, Arch, Proxmox, NixOS, Unraid …).
 */
import type { Host } from '../host/host.ts'

/** `add intel_iommu=on to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run update-grub, and restart` */
export function cmdlineRemedy(host: Host, change: { readonly add?: string; readonly remove?: string }): string {
  const { add, remove } = change
  const what = add === undefined ? `remove ${remove ?? ''} from` : `add ${add} to`
  return `${what} ${placeOf(host, change)}, and restart`
}

function placeOf(host: Host, change: { readonly add?: string; readonly remove?: string }): string {
  const has = (path: string): boolean => host.files?.some((file) => file.path === path) === true
  const ids = [host.distribution?.id, ...(host.distribution?.idLike ?? [])]
  const is = (...names: readonly string[]): boolean => names.some((name) => ids.includes(name))
  if (is('nixos')) return 'boot.kernelParams in configuration.nix, run nixos-rebuild boot'
  if (has('/boot/syslinux/syslinux.cfg')) return 'the append line of /boot/syslinux/syslinux.cfg'
  if (has('/etc/kernel/proxmox-boot-uuids') && has('/etc/kernel/cmdline'))
    return 'the one line of /etc/kernel/cmdline, run proxmox-boot-tool refresh'
  if (is('fedora', 'rhel', 'centos')) {
    const option = change.add === undefined ? `--remove-args=${change.remove ?? ''}` : `--args=${change.add}`
    return `the kernel command line with: grubby --update-kernel=ALL ${option}`
  }
  if (is('opensuse', 'suse')) {
    const option = change.add === undefined ? `--del-option ${change.remove ?? ''}` : `--add-option ${change.add}`
    return `the kernel command line with: update-bootloader ${option}`
  }
  if (has('/etc/default/grub')) {
    const make = 'grub-mkconfig -o /boot/grub/grub.cfg'
    // Debian's word for it; of a pasted file nobody knows which distribution it is from.
    const generate = is('arch')
      ? make
      : ids[0] === undefined && host.boot === undefined
        ? `update-grub or ${make}`
        : 'update-grub'
    return `GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run ${generate}`
  }
  if (has('/etc/kernel/cmdline'))
    return '/etc/kernel/cmdline, install the kernel entry again (kernel-install or mkinitcpio -P)'
  return 'the kernel command line'
}
