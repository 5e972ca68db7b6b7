/**
 * Spec: what a person wants, as a value. The YAML text becomes this in spec/parse-spec.ts. Sizes are
 * normalised (MiB), defaults are filled in; places in the text are kept beside it (`SpecPlaces`), not in it.
 */
import type { PciAddress } from '../pci/address.ts'
import type { DeviceClass } from '../pci/device.ts'
import type { VirtualFunctionSettings } from '../pci/virtual-functions.ts'

export type Spec = {
  readonly version: 1
  readonly host: HostSection
  /** In the order of the file. */
  readonly vms: readonly VmSpec[]
  readonly savings?: SavingsSpec
}

/**
 * Figures for `handover savings`; what is absent is unknown, never guessed. Money is in one currency of the
 * owner's.
 */
export type SavingsSpec = {
  readonly pricePerKWh?: number
  readonly currency?: string
  readonly hoursPerDay?: number
  readonly years?: number
  readonly host?: { readonly watts?: number; readonly purchase?: number }
  readonly replaced: readonly {
    readonly name: string
    readonly watts?: number
    readonly hoursPerDay?: number
    readonly purchase?: number
  }[]
}

export type HostSection = {
  /** Names of things that must stay, beyond what the host needs: addresses, interface names, disk serials. */
  readonly keep: readonly string[]
  /**
   * Things a person really gives up: `boot-display`, `text-console`, `keyboard`, or the name of something
   * that the host uses and could do without (an interface, a mount point). Never root, boot or the only way
   * in.
   */
  readonly giveUp: readonly string[]
  /**
   * Identities of devices that are not in use although that could not be found out: serials, MAC addresses,
   * paths.
   */
  readonly notInUse?: readonly string[]
  /** Memory the host keeps for itself, MiB. */
  readonly reserveMiB: number
  readonly virtualFunctions?: readonly VirtualFunctionsSpec[]
  /**
   * Huge pages of this size are set aside for the VMs that take theirs from them; absent: the owner does it.
   */
  readonly hugepageKiB?: 2048 | 1048576
  /** Wanted on the kernel command line, beyond what the IOMMU needs. */
  readonly kernelArguments?: readonly string[]
  /** What becomes of ids for vfio-pci that others wrote; absent: they are shown and left alone. */
  readonly foreignIds?: 'remove'
}

/** Virtual functions wanted on one card of the host. */
export type VirtualFunctionsSpec = {
  readonly name: string
  readonly of: DeviceSelector
  readonly count: number
  /** From number 0; shorter than `count` where the rest stays as the card makes it. */
  readonly functions: readonly VirtualFunctionSettings[]
}

export type VmSpec = {
  readonly name: string
  readonly engine: 'qemu' | 'libvirt'
  readonly cpus: number
  readonly memoryMiB: number
  readonly firmware: 'bios' | 'uefi'
  /** Direct kernel boot; absent means: boot from disks, then ISO. */
  readonly kernel?: { readonly image: string; readonly initrd?: string; readonly cmdline: string }
  readonly disks: readonly DiskSpec[]
  readonly iso?: string
  readonly networks: readonly NetworkSpec[]
  readonly devices: readonly RoleSpec[]
  /** VMs that must answer before this one starts. */
  readonly needs: readonly string[]
  /** Starts only when the host's own network is up (`needs: [host-network]`). */
  readonly needsHostNetwork?: boolean
  /**
   * What others get from it, in the owner's words; `host-address` and `host-internet` mean the host itself
   * depends on it.
   */
  readonly serves?: readonly string[]
  /** When it counts as up; absent: as soon as its process runs. */
  readonly ready?: ReadySpec
  readonly autostart: boolean
  /** What kind of system is inside: decides what `verify` can ask of it. */
  readonly guest: 'linux' | 'freebsd' | 'other'
  readonly vnc: boolean
  readonly hugepages?: boolean
  /** All its devices on one NUMA node, as a demand and not a wish. */
  readonly oneNumaNode?: boolean
}

export type DiskSpec = {
  readonly path: string
  /** Created with this size when missing. */
  readonly sizeMiB?: number
  readonly format: 'qcow2' | 'raw'
  readonly readOnly: boolean
  readonly serial?: string
}

/** A virtual port. `mac` is as written, or made from the VM's name (virtual-mac.ts). */
export type NetworkSpec = { readonly bridge: string; readonly mac: string }

/** One thing the guest gets, named for what it does there: `wan`, `lan`, `media-disks`. */
export type RoleSpec = { readonly role: string; readonly select: DeviceSelector }

/** All given members must hold. Written as a person knows the device; plan/select.ts finds it on a host. */
export type DeviceSelector = {
  readonly class?: DeviceClass
  readonly address?: PciAddress
  /** `vvvv:dddd`. */
  readonly ids?: string
  readonly mac?: string
  readonly serial?: string
  /** Serial of a disk behind the controller. */
  readonly disk?: string
  readonly path?: string
  readonly physicalSlot?: string
  /**
   * Roles with the same word share one physical card; different words are different cards. Across VMs too.
   */
  readonly card?: string
  /** Roles with the same word are functions of one slot (ports of one chip). */
  readonly pair?: string
  /** The how-manieth of its class on the card, from 1, in the order of addresses. */
  readonly port?: number
  readonly numaNode?: number
  /** A word of `host.virtualFunctions`, and which of its functions. */
  readonly virtualFunction?: string
  readonly number?: number
  /** Part of the device's name, compared without case. */
  readonly name?: string
}

export type ReadySpec = {
  readonly check:
    | { readonly kind: 'report' }
    | { readonly kind: 'ping'; readonly host: string }
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'http'; readonly url: string }
  readonly withinSeconds: number
}

/** A path into the spec, as keys: `['vms', 'firewall', 'devices', 'wan']`. */
export type SpecPath = readonly (string | number)[]
