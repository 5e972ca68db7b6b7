/**
 * Host: everything `plan` may look at, as one JSON-serialisable value. Read this file first.
 * It holds no methods, no dates and no paths to read again later; readers (host/read/, sources/) make it,
 * `capture` writes it, and every reading command accepts it instead of the live machine.
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

/** VFIO's unit of ownership, as the input states it. */
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
   * ACPI tables present, as raw bytes in lower-case hex (root) or the empty string when only their presence
   * is known.
   */
  readonly dmar?: string
  readonly ivrs?: string
  /** Default domain type in the kernel's word, from a log: `Translated` or `Passthrough`. */
  readonly defaultDomain?: string
  /** A log says that the kernel, patched, takes all such regions for relaxable (Proxmox' relax_rmrr). */
  readonly relaxesRegions?: true
  /**
   * Regions the firmware wants mapped one to one (RMRR), where only a log tells and no group can be named.
   */
  readonly firmwareRegions?: readonly { readonly start: string; readonly end: string }[]
}

/** What is needed: decides the finding, and what a person may give up. */
export type NeedKind = 'disk' | 'network' | 'display' | 'console' | 'input' | 'chipset' | 'vm' | 'use'

/** One thing the host needs, and the chain from it down to the PCI function that carries it. */
export type HostNeed = {
  /**
   * `use`: a process or the kernel uses the function for something short of the other kinds (sound, a
   * watchdog).
   */
  readonly kind: NeedKind
  /**
   * In words: `/`, `swap`, `default route`, `SSH session from 192.0.2.7`, `text console`. Nothing is decided
   * on it.
   */
  readonly what: string
  /** The mount point, where the need is a mounted file system. */
  readonly mountPoint?: string
  /** The need is a default route of the host. */
  readonly isDefaultRoute?: boolean
  /**
   * The name in `what` of an interface, a program or an array: a chain that begins with it is shown without
   * it.
   */
  readonly subject?: string
  /** The name of the VM that holds the function, where `kind` is `vm` and this program itself started it. */
  readonly vm?: string
  /** Names between the need and the function, top first: `['vg0/root', 'md0', 'sda']`. */
  readonly chain: readonly string[]
  readonly device: PciAddress
  /** How bad its loss is: `vital` is refused, `spoken-for` only warned of. */
  readonly weight: 'vital' | 'spoken-for'
  /**
   * A bond leg, a mirror half, a path of several: the need ends at a set, and the last one standing may not
   * go. Legs that are broken or absent today are not counted, so that a set of one function is like no set at
   * all.
   */
  readonly redundant?: {
    /**
     * The name of the set: `bond0`, `md0`, `nvme-subsys0`. Legs of one need with one name belong together.
     */
    readonly set: string
    /** Functions on which the need stands without this one: addresses of the other legs. */
    readonly others: readonly PciAddress[]
  }
}

/**
 * A need of the host that could not be followed to a PCI function, nor to something that is known to be none
 * (memory, a server behind a followed port, a file on a followed file system). It may end at any function
 * that could carry it.
 */
export type LostNeed = {
  readonly kind: NeedKind
  readonly what: string
  /** Names that were followed, top first. */
  readonly chain: readonly string[]
  /** The name at which the trail ends: `ppp0`, `dm-3`, `/dev/sdq1`, `pool tank`. */
  readonly lost: string
  /** Why it ends there: `nothing says which port it runs over`, `/proc/net/pppoe cannot be read (EACCES)`. */
  readonly why: string
  /**
   * Functions that could physically carry the need, in the order of their addresses. A controller without
   * disks is no end of a mount; a port that is down, has no address and is configured nowhere is no end of a
   * route.
   */
  readonly couldBe: readonly PciAddress[]
}

/**
 * A block device of the host and what stands on it: what the host needs may not become the virtual disk of a
 * VM.
 */
export type HostBlockDevice = {
  /** Kernel name: `sda2`, `dm-3`, `zd16`. */
  readonly name: string
  /**
   * Paths that lead to it, `/dev/sda2` first: links of udev, `/dev/mapper/…`, `/dev/vg0/root`, `/dev/zvol/…`.
   */
  readonly paths: readonly string[]
  /**
   * Needs (their `what`) that stand on it, on a part of it, or on the whole it is a part of. Empty: the host
   * needs nothing of it, though it may be active (a volume for a VM) or lie on a disk that the host needs.
   */
  readonly neededFor: readonly string[]
  /** Processes that hold it open, in words: `process 2211 (kvm)`. */
  readonly heldBy?: readonly string[]
  /** Functions that carry it. Lost needs whose `couldBe` names one of them may stand on this device. */
  readonly functions: readonly PciAddress[]
}

/** What is at a path that a spec names: an image, an ISO, a kernel. */
export type HostPath = {
  readonly path: string
  readonly kind: 'file' | 'block' | 'folder' | 'other' | 'absent' | 'unreadable'
  /** With every link resolved; of what is absent, its folder resolved. */
  readonly real: string
  /** The file itself, whatever it is called (device and inode): two names with one of these are one file. */
  readonly inode?: string
  /** The kernel's name of a block device, `sda2`, and of the disk that it is a part of, or is. */
  readonly block?: string
  readonly whole?: string
}

/** A refusal that a log or a paste holds: of the function or the group it names, and of no other. */
export type Refusal = {
  /**
   * `reserved-memory`: the kernel refused the function because the firmware uses memory through it.
   * `identity-map`: it kept such memory mapped, which is a refusal but for USB and displays. `denied`:
   * vfio-pci has the function on its list of broken ones. `not-viable`: the group was held by a driver of the
   * host. `no-reset`, `reset-needs-group`: QEMU could not reset the function. `lost`: the function did not
   * come back. `held`: something else held the group. `memory-held`: the host held a part of its memory.
   * `unexplained`: VFIO refused, and the words do not say why.
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
  /** The group that must be owned as well before the function can be reset. */
  readonly needsGroup?: number
}

export type KernelFacts = {
  readonly release?: string
  readonly cmdline?: string
  readonly lockdown?: string
  /** Names of loaded modules. */
  readonly modules?: readonly string[]
  /** Options of the kernel configuration that matter here, without the `CONFIG_` prefix. */
  readonly config?: Readonly<Record<string, string>>
}

export type CpuFacts = {
  readonly vendor?: string
  readonly virtualisation?: 'vmx' | 'svm' | null
  /** The `hypervisor` flag: this machine is itself a guest. */
  readonly isGuest?: boolean
  readonly count?: number
}

export type MemoryFacts = {
  readonly totalMiB?: number
  readonly availableMiB?: number
  readonly hugepages?: readonly { readonly sizeKiB: number; readonly total: number; readonly free: number }[]
}

/** A configuration file as text: what `plan` edits must be inside the Host. */
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
  /** What shows that the input is of two machines: then no fact in it belongs to any other. */
  readonly twoMachines?: string
  /** Board and firmware in the firmware's own words. */
  readonly machine?: string
  readonly distribution?: Distribution
  readonly kernel: KernelFacts
  readonly cpu: CpuFacts
  /** /sys/hypervisor/type: `xen` where this system runs on or under Xen. */
  readonly hypervisor?: string
  readonly memory: MemoryFacts
  readonly iommu: IommuFacts
  readonly devices: readonly PciDevice[]
  readonly groups: readonly IommuGroup[]
  readonly needs: readonly HostNeed[]
  /** Needs whose trail was lost; absent or empty when each was followed to its end. */
  readonly lostNeeds?: readonly LostNeed[]
  /** Kinds of need the input cannot tell about (a listing of devices says nothing of mounts and routes). */
  readonly unreadNeeds?: readonly NeedKind[]
  /** Block devices that the host shows; absent where the input lists none. */
  readonly blockDevices?: readonly HostBlockDevice[]
  /**
   * Paths that the spec names, where this machine was asked about them; absent for a capture or a listing.
   */
  readonly paths?: readonly HostPath[]
  /** What was refused before, where the input holds the refusal. */
  readonly refusals?: readonly Refusal[]
  readonly bridges?: readonly string[]
  /**
   * IPv4 addresses the host is reached by: on the interfaces of its default routes and of sessions in use.
   */
  readonly ownAddresses?: readonly string[]
  readonly files?: readonly HostFile[]
  readonly boot?: BootFacts
  /** What reading met: unreadable files, cut-off listings. Verdicts are not here; they are computed. */
  readonly findings: readonly Finding[]
}
