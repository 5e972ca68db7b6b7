/**
 * Host: everything that `plan` may look at, as one JSON-serialisable value. Read this file first. A Host has
 * no methods and no dates, and nothing in it is read later. The readers (host/read/, sources/) build it,
 * `capture` writes it, and every reading command accepts a capture instead of the live machine.
 */
import type { Finding } from '../base/finding.ts'
import type { BootFacts } from './boot-facts.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'

export type SourceKind =
  | 'live'
  | 'capture'
  | 'sysfs'
  | 'umockdev'
  | 'lspci'
  | 'script'
  | 'find'
  | 'kernel-log'
  | 'udevadm'
  | 'nodedev'
  | 'facter'
  | 'pvesh'
  | 'hwinfo'
  | 'devbind'
  | 'lshw'

/** VFIO's unit of ownership, as the input shows it. */
export type IommuGroup = {
  readonly id: number
  readonly devices: readonly PciAddress[]
  /** Members on other buses (platform devices on ARM), by kernel name. */
  readonly otherMembers?: readonly string[]
  /** Default domain: `DMA`, `DMA-FQ`, `identity`. */
  readonly type?: string
  readonly reservedRegions?: readonly ReservedRegion[]
}

export type ReservedRegion = {
  /** Physical addresses, hex without `0x`, inclusive. */
  readonly start: string
  readonly end: string
  /** `direct` blocks assignment; `direct-relaxable`, `reserved` and `msi` do not. */
  readonly type: string
}

export type IommuFacts = {
  readonly state: 'on' | 'off' | 'absent' | 'unknown'
  readonly kind: 'intel' | 'amd' | 'other' | null
  readonly interruptRemapping?: boolean
  /** Names under /sys/class/iommu; present only when a driver is active. */
  readonly units?: readonly string[]
  /**
   * The ACPI tables as bytes in lower-case hex. The text is empty if a table exists but only root could read
   * it.
   */
  readonly dmar?: string
  readonly ivrs?: string
  /** The default domain type from a kernel log: `Translated` or `Passthrough`. */
  readonly defaultDomain?: string
  /**
   * According to a log, the kernel has a patch that treats all such regions as relaxable (relax_rmrr of
   * Proxmox).
   */
  readonly relaxesRegions?: true
  /** Regions that the firmware wants mapped one to one (RMRR), from a log that does not name the group. */
  readonly firmwareRegions?: readonly { readonly start: string; readonly end: string }[]
}

/** The kind of a need. It decides which finding is reported and whether the owner can give the need up. */
export type NeedKind = 'disk' | 'network' | 'display' | 'console' | 'input' | 'chipset' | 'vm' | 'use'

/** One thing that the host needs, with the chain down to the PCI function that carries it. */
export type HostNeed = {
  /**
   * `use`: a process or the kernel uses the function for something that is no other kind (sound, a watchdog).
   */
  readonly kind: NeedKind
  /**
   * The need in words: `/`, `swap`, `default route`, `SSH session from 192.0.2.7`, `text console`. No
   * decision rests on these words.
   */
  readonly what: string
  /** The mount point, if the need is a mounted file system. */
  readonly mountPoint?: string
  /** The need is a default route of the host. */
  readonly isDefaultRoute?: boolean
  /**
   * The name of the interface, program or array in `what`. A chain that begins with this name is shown
   * without it.
   */
  readonly subject?: string
  /** The name of the VM that holds the function, if `kind` is `vm` and Handover started the VM. */
  readonly vm?: string
  /** The names between the need and the function, from the need downwards: `['vg0/root', 'md0', 'sda']`. */
  readonly chain: readonly string[]
  readonly device: PciAddress
  /** `vital`: losing it is refused. `spoken-for`: losing it only causes a warning. */
  readonly weight: 'vital' | 'spoken-for'
  /**
   * The need ends at a set of functions (a bond, a mirror, several paths), and one of them is enough. The
   * last one must stay. Legs that are broken or absent today do not count, so a set with one working function
   * is treated as no set.
   */
  readonly redundant?: {
    /**
     * The name of the set: `bond0`, `md0`, `nvme-subsys0`. Legs of one need with the same name belong
     * together.
     */
    readonly set: string
    /** The addresses of the other legs, each of which also carries the need. */
    readonly others: readonly PciAddress[]
  }
}

/**
 * A need that could be followed neither to a PCI function nor to something that is not one (memory, a server
 * behind a followed port, a file on a followed file system). Any function that could carry it may be the one.
 */
export type LostNeed = {
  readonly kind: NeedKind
  readonly what: string
  /** The names that were followed, from the need downwards. */
  readonly chain: readonly string[]
  /** The name at which the trail ends: `ppp0`, `dm-3`, `/dev/sdq1`, `pool tank`. */
  readonly lost: string
  /** The reason: `nothing says which port it runs over`, `/proc/net/pppoe cannot be read (EACCES)`. */
  readonly why: string
  /**
   * The functions that could physically carry the need, in the order of their addresses. A controller without
   * disks carries no mount; a port that is down, has no address and is configured nowhere carries no route.
   */
  readonly couldBe: readonly PciAddress[]
}

/**
 * A block device of the host and the needs that depend on it. A device that the host needs must not become
 * the virtual disk of a VM.
 */
export type HostBlockDevice = {
  /** Kernel name: `sda2`, `dm-3`, `zd16`. */
  readonly name: string
  /** Its paths, `/dev/sda2` first, then links of udev, `/dev/mapper/…`, `/dev/vg0/root`, `/dev/zvol/…`. */
  readonly paths: readonly string[]
  /**
   * The needs (their `what`) that depend on the device, on a part of it, or on the disk that it is a part of.
   * Empty: the host does not need the device. It may still be active (a volume for a VM) or be part of a disk
   * that the host needs.
   */
  readonly neededFor: readonly string[]
  /** Processes that have the device open, in words: `process 2211 (kvm)`. */
  readonly heldBy?: readonly string[]
  /**
   * The functions that carry the device. A lost need whose `couldBe` names one of them may depend on the
   * device.
   */
  readonly functions: readonly PciAddress[]
}

/** The file at a path that a spec names: an image, an ISO, a kernel. */
export type HostPath = {
  readonly path: string
  readonly kind: 'file' | 'block' | 'folder' | 'other' | 'absent' | 'unreadable'
  /** The path with every link resolved. If nothing is there, its folder resolved. */
  readonly real: string
  /** Device and inode. Two paths with the same value are the same file. */
  readonly inode?: string
  /** The kernel's name of a block device, such as `sda2`; `whole` is the disk that it is or belongs to. */
  readonly block?: string
  readonly whole?: string
}

/** A refusal from a log or a pasted text. It concerns only the function or the group that it names. */
export type Refusal = {
  /**
   * `reserved-memory`: the kernel refused the function because the firmware uses memory through it.
   * `identity-map`: the kernel kept such memory mapped, which is a refusal except for USB and displays.
   * `denied`: the function is on vfio-pci's list of broken devices. `not-viable`: a driver of the host held
   * the group. `no-reset`, `reset-needs-group`: QEMU could not reset the function. `lost`: the function did
   * not come back. `held`: another program held the group. `memory-held`: the host held a part of the
   * function's memory. `unexplained`: VFIO refused without a reason.
   */
  readonly kind:
    | 'reserved-memory'
    | 'identity-map'
    | 'denied'
    | 'not-viable'
    | 'no-reset'
    | 'reset-needs-group'
    | 'lost'
    | 'held'
    | 'memory-held'
    | 'unexplained'
  readonly device?: PciAddress
  readonly group?: number
  /** The other group that must be owned before the function can be reset. */
  readonly needsGroup?: number
}

export type KernelFacts = {
  readonly release?: string
  readonly cmdline?: string
  readonly lockdown?: string
  /** Names of loaded modules. */
  readonly modules?: readonly string[]
  /** The kernel configuration options for IOMMU, VFIO and KVM, without the `CONFIG_` prefix. */
  readonly config?: Readonly<Record<string, string>>
}

export type CpuFacts = {
  readonly vendor?: string
  readonly virtualisation?: 'vmx' | 'svm' | null
  /** From the CPU's `hypervisor` flag: this machine is a guest. */
  readonly isGuest?: boolean
  readonly count?: number
}

export type MemoryFacts = {
  readonly totalMiB?: number
  readonly availableMiB?: number
  readonly hugepages?: readonly { readonly sizeKiB: number; readonly total: number; readonly free: number }[]
}

/** A configuration file as text. Every file that `plan` edits is in the Host. */
export type HostFile = {
  readonly path: string
  readonly text: string
  /** Octal permission bits. */
  readonly mode?: number
}

export type Distribution = {
  readonly id: string
  readonly versionId?: string
  readonly idLike?: readonly string[]
}

export type Host = {
  readonly schema: 1
  readonly source: { readonly kind: SourceKind; readonly name?: string }
  /**
   * The evidence that the input comes from two machines. No fact of such a Host can be related to another.
   */
  readonly twoMachines?: string
  /** Names of the board and the firmware, as the firmware gives them. */
  readonly machine?: string
  readonly distribution?: Distribution
  readonly kernel: KernelFacts
  readonly cpu: CpuFacts
  /** /sys/hypervisor/type: `xen` if this system runs on or under Xen. */
  readonly hypervisor?: string
  readonly memory: MemoryFacts
  readonly iommu: IommuFacts
  readonly devices: readonly PciDevice[]
  readonly groups: readonly IommuGroup[]
  readonly needs: readonly HostNeed[]
  /** Needs that could not be followed. Absent or empty: every need was followed. */
  readonly lostNeeds?: readonly LostNeed[]
  /**
   * Kinds of needs that the input does not cover. A listing of devices, for example, says nothing about
   * mounts and routes.
   */
  readonly unreadNeeds?: readonly NeedKind[]
  /** The block devices of the host. Absent: the input lists none. */
  readonly blockDevices?: readonly HostBlockDevice[]
  /** The paths that the spec names, as they are on this machine. Absent for a capture or a listing. */
  readonly paths?: readonly HostPath[]
  /** Earlier refusals that the input shows. */
  readonly refusals?: readonly Refusal[]
  readonly bridges?: readonly string[]
  /**
   * IPv4 addresses by which the host is reached: those on the interfaces of its default routes and of its
   * open sessions.
   */
  readonly ownAddresses?: readonly string[]
  readonly files?: readonly HostFile[]
  readonly boot?: BootFacts
  /**
   * Problems met while reading, such as unreadable files and cut-off listings. Verdicts are not here; they
   * are computed.
   */
  readonly findings: readonly Finding[]
}
