/**
 * Values of kernel and module arguments that nobody needs: passwords, keys and users by the name of their argument, and the value of
 * every argument that no reader here knows, unless it is a plain number or switch.
 */
import { parseCmdline, readArg } from '../../boot/cmdline.ts'

/** `rd.luks.key`, `iscsi_password`, `netroot` has its own; not `keymap`, `keyboard`. */
const secretKey =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|psk|chap|auth|private|user(?:name)?|login|(?:^|[._-])key(?:file|slot)?|[a-z]key)$/i

/** Switches, numbers, sizes and lists of them say nothing of anybody. */
const plainValue =
  /^(?:[+-]?\d{1,9}(?:\.\d+)?[kmgtKMGT]?[bB]?|0x[0-9a-f]{1,8}|[a-z]{1,12})(?:[,:][a-z0-9=]{1,12}){0,8}$/i

/** Arguments whose values readers look at, or that are words of the kernel and of initramfs tools. */
const knownKey =
  /^(?:boot_image|initrd|root|rootfstype|rootflags|resume|resume_offset|resumeflags|rd\.(?:luks|lvm|md|dm|driver|break|shell|emergency|neednet|live|auto|vconsole|locale|udev|systemd|retry|timeout|debug|blacklist|hostonly|skipfsck)[\w.]*|cryptdevice|crypto|ip|ifname|bootif|bootdev|nameserver|netroot|nfsroot|console|earlycon|earlyprintk|iommu|intel_iommu|amd_iommu|intremap|iommu\.[\w.]+|vfio[\w.]*|kvm[\w.]*|pci|pcie_?\w*|pci_stub\.ids|xen_pciback\.hide|modprobe\.blacklist|module_blacklist|blacklist|video|hugepages|hugepagesz|default_hugepagesz|isolcpus|nohz_full|rcu_nocbs|crashkernel|mem|memmap|memory|mitigations|systemd\.[\w.-]+|zfs|zfs\.[\w.]+|bootfs|dom0_\w+|acpi\w*|lsm|security|selinux|apparmor|init|fsck\.\w+|btrfs\w*|drm[\w.]*|i915[\w.]*|amdgpu[\w.]*|nvidia[\w.-]*|radeon[\w.]*|xe[\w.]*|snd[\w.]*|usbcore[\w.]*|libata[\w.]*|nvme[\w.]*|mlx\w*[\w.]*|ixgbe[\w.]*|igb[\w.]*|locale\.\w+|keymap|lang|vt\.\w+|panic|loglevel|splash|quiet|plymouth[\w.]*|handover[\w.]*|ids|disable_\w+|enable_\w+|softdep|pre|post)$/i

/** The secret values in one line of arguments. */
export function secretValues(line: string): string[] {
  return parseCmdline(line).args.flatMap(({ raw }) => {
    const { key, value } = readArg(raw)
    if (value === undefined || value === '') return []
    return [...credentialsIn(value), ...valueOf(key, value)]
  })
}

function valueOf(key: string, value: string): string[] {
  if (secretKey.test(key)) return pathOrValue(value)
  if (knownKey.test(key) || plainValue.test(value)) return []
  return pathOrValue(value)
}

/**
 * Of a path or a list the parts: `/keys/mine.key:UUID=…` names a device, which is followed, and a file, which is nobody's business.
 * What is a token of its own (an address, a UUID) gets a stand-in as such.
 */
function pathOrValue(value: string): string[] {
  if (!/[/:,;@]/.test(value)) return [value]
  return value
    .split(/[/:,;@]|(?:PART)?(?:UUID|LABEL)=/i)
    .filter((part) => !commonName.test(part) && !plainPart.test(part))
}

const commonName =
  /^(?:|boot|dev|disk|by-\w+|mapper|etc|root|home|usr|var|run|mnt|media|efi|lib|sys|proc|keys?|keyfile|crypto_keyfile\.bin|luks|cryptsetup-keys\.d|none|dhcp|on|off|any|rw|ro)$/i
/** Names of devices, numbers, addresses and ids: tokens, or nothing of anybody's. */
const plainPart =
  /^(?:\d[\d.]*|[0-9a-f:.-]+|[a-z]{2,6}\d{1,3}[a-z]?\d{0,3}(?:p\d+|n\d+\w*)?|sd[a-z]+\d*|vfat|ext[234]|xfs|btrfs|iso9660)$/i

/** `iscsi:user:password@…`, `//user:password@server`. */
function credentialsIn(value: string): string[] {
  const found = /(?:^|[/:])([^@/\s]*)@/.exec(value)?.[1] ?? ''
  return found.split(':').filter((part) => part.length > 0 && !/^(?:iscsi|nfs|nbd|\d+)$/.test(part))
}

/** `key = value` in files of other kinds. */
export function secretSettings(text: string): string[] {
  const found: string[] = []
  for (const [, key = '', quoted, bare] of text.matchAll(
    /^[ \t]*#?[ \t]*([\w.-]{2,40})[ \t]*[=:][ \t]*(?:"([^"\n]*)"|([^\s"'#]+))/gm,
  ))
    if (secretKey.test(key)) found.push(...pathOrValue(quoted ?? bare ?? ''))
  return found
}
