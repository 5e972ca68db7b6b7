/**
 * Replaces values of kernel and module arguments: passwords, keys and users by the name of the argument, and
 * every value of an unknown argument unless it is a plain number or switch.
 */
import { wholeWords } from './whole-words.ts'
import type { StandIns } from './stand-ins.ts'

/** Matches `rd.luks.key` and `iscsi_password`, but not `keymap` and `keyboard`. */
const secretKey =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|psk|chap|auth|private|user(?:name)?|login|(?:^|[._-])key(?:file|slot)?|[a-z]key)$/i

/** Switches, numbers, sizes and lists of them identify nobody. */
const plainValue =
  /^(?:[+-]?\d{1,9}(?:\.\d+)?[kmgtKMGT]?[bB]?|0x[0-9a-f]{1,8}|[a-z]{1,12})(?:[,:][a-z0-9=]{1,12}){0,8}$/i

/** Arguments whose values the readers use, or whose values are words of the kernel and of initramfs tools. */
const knownKey = wholeWords(
  'boot_image initrd root rootfstype rootflags resume resume_offset resumeflags',
  String.raw`rd\.(?:luks|lvm|md|dm|driver|break|shell|emergency|neednet|live|auto|vconsole|locale|udev|systemd|retry|timeout|debug|blacklist|hostonly|skipfsck)[\w.]*`,
  'cryptdevice crypto ip ifname bootif bootdev nameserver netroot nfsroot console earlycon',
  String.raw`earlyprintk iommu intel_iommu amd_iommu intremap iommu\.[\w.]+ vfio[\w.]* kvm[\w.]* pci`,
  String.raw`pcie_?\w* pci_stub\.ids xen_pciback\.hide modprobe\.blacklist module_blacklist blacklist video`,
  'hugepages hugepagesz default_hugepagesz isolcpus nohz_full rcu_nocbs crashkernel mem memmap',
  String.raw`memory mitigations systemd\.[\w.-]+ zfs zfs\.[\w.]+ bootfs dom0_\w+ acpi\w* lsm security selinux`,
  String.raw`apparmor init fsck\.\w+ btrfs\w* drm[\w.]* i915[\w.]* amdgpu[\w.]* nvidia[\w.-]* radeon[\w.]*`,
  String.raw`xe[\w.]* snd[\w.]* usbcore[\w.]* libata[\w.]* nvme[\w.]* mlx\w*[\w.]* ixgbe[\w.]* igb[\w.]*`,
  String.raw`locale\.\w+ keymap lang vt\.\w+ panic loglevel splash quiet plymouth[\w.]* handover[\w.]* ids`,
  String.raw`disable_\w+ enable_\w+ softdep pre post`,
)

type Secret = (text: string) => string

/** Replaces the secret values in a line of arguments; every other character stays. */
export function redactArguments(line: string, secret: Secret): string {
  return line.replaceAll(/(?<![^\s"'])([\w.-]+)=("[^"]*"|[^\s"']*)/g, (_, key: string, value: string) => {
    const name = key.replaceAll('-', '_')
    const isPlain = !secretKey.test(name) && (knownKey.test(name) || plainValue.test(value))
    return `${key}=${isPlain ? withoutCredentials(value, secret) : redactValue(value, secret)}`
  })
}

/** Replaces secret values in lines `key = value` of other files, also in comments. */
export function redactSettings(text: string, secret: Secret): string {
  return text.replaceAll(
    /(?<![\w.-])([\w.-]{2,40})([ \t]*[=:][ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s"',;#]+)/g,
    (whole: string, key: string, between: string, value: string) =>
      secretKey.test(key) ? `${key}${between}${redactValue(value, secret)}` : whole,
  )
}

/**
 * Replaces the parts of a path or list separately: `/keys/mine.key:UUID=…` names a device, which the readers
 * follow, and a file, which is private. An address or UUID gets its own kind of stand-in later.
 */
function redactValue(value: string, secret: Secret): string {
  const bare = value.replace(/^["']|["']$/g, '')
  // Names of iSCSI and NVMe are tokens, which tokens.ts replaces.
  if (bare === '' || /^(?:(?:iqn|nqn)\.|redacted\d{1,6}$)/.test(bare)) return value
  const isList = /[/:,;@=]/.test(bare)
  const parts = bare.split(/([/:,;@=])/)
  const drawn = parts.map((part, at) => {
    const isFolder = parts[at + 1] === '/'
    return isList && (part.length < 2 || isFolder || commonName.test(part) || plainPart.test(part))
      ? part
      : secret(part)
  })
  return value.replace(bare, () => drawn.join(''))
}

/** `iscsi:user:password@…`, `//user:password@server`. */
function withoutCredentials(value: string, secret: Secret): string {
  return value.replace(/(^|[/:])((?:[^@/:\s]+:)?[^@/:\s]+)@/, (_, before: string, found: string) => {
    const parts = found
      .split(':')
      .map((part, at) => (at === 0 && /^(?:iscsi|nfs|nbd|\d+)$/.test(part) ? part : secret(part)))
    return `${before}${parts.join(':')}@`
  })
}

/** Replaces users and passwords in the options of network mounts. */
export function redactMountOptions(text: string, to: Pick<StandIns, 'secret'>): string {
  return text.replaceAll(
    /\b(user(?:name)?|pass(?:word)?2?|domain|cred(?:entials)?|secret(?:file)?)=([^,\s]+)/g,
    (_, key: string, value: string) => `${key}=${to.secret(value)}`,
  )
}

const commonName =
  /^(?:|boot|dev|disk|by-\w+|mapper|etc|root|home|usr|var|run|mnt|media|efi|lib|sys|proc|keys?|keyfile|crypto_keyfile\.bin|luks|cryptsetup-keys\.d|none|dhcp|on|off|any|rw|ro|(?:part)?(?:uuid|label)|iscsi)$|^redacted\d{1,6}$/i
/** Names of devices, numbers, addresses and ids: they are tokens, or identify nobody. */
const plainPart =
  /^(?:\d[\d.]*|[0-9a-f:.-]+|[a-z]{2,6}\d{1,3}[a-z]?\d{0,3}(?:p\d+|n\d+\w*)?|sd[a-z]+\d*|vfat|ext[234]|xfs|btrfs|iso9660)$/i
