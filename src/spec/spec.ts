/**
 * Spec: what the owner wants, as a value. spec/parse-spec.ts reads it from YAML. Sizes are in MiB and
 * defaults are filled in; the places in the text are kept beside the Spec (`SpecPlaces`).
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
 * Figures for `handover savings`. An absent figure is unknown and is never guessed. All prices are in one
 * currency.
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
  /**
   * Names of things that must stay with the host in addition to what it needs: addresses, interface names,
   * disk serials.
   */
  readonly keep: readonly string[]
  /**
   * Things that the owner gives up: `boot-display`, `text-console`, `keyboard`, or the name of something that
   * the host uses but does not need (an interface, a mount point). Never the root or boot file system or the
   * only network connection.
   */
  readonly giveUp: readonly string[]
  /**
   * Devices that are not in use, as the owner states where the readers cannot find out: serials, MAC
   * addresses, paths.
   */
  readonly notInUse?: readonly string[]
  /** Memory that the host keeps for itself, in MiB. */
  readonly reserveMiB: number
  readonly virtualFunctions?: readonly VirtualFunctionsSpec[]
  /**
   * The size of the huge pages that are reserved for the VMs with `hugepages`. Absent: the owner reserves
   * them.
   */
  readonly hugepageKiB?: 2048 | 1048576
  /** Arguments for the kernel command line in addition to what the IOMMU needs. */
  readonly kernelArguments?: readonly string[]
  /** What happens to ids for vfio-pci that others wrote. Absent: they are shown and left alone. */
  readonly foreignIds?: 'remove'
}

/** Virtual functions wanted on one card of the host. */
export type VirtualFunctionsSpec = {
  readonly name: string
  readonly of: DeviceSelector
  readonly count: number
  /** From number 0. Functions without an entry keep the settings of the card. */
  readonly functions: readonly VirtualFunctionSettings[]
}

export type VmSpec = {
  readonly name: string
  readonly engine: 'qemu' | 'libvirt'
  readonly cpus: number
  readonly memoryMiB: number
  readonly firmware: 'bios' | 'uefi'
  /** Direct kernel boot. Absent: the VM boots from its disks, then from the ISO. */
  readonly kernel?: { readonly image: string; readonly initrd?: string; readonly cmdline: string }
  readonly disks: readonly DiskSpec[]
  readonly iso?: string
  readonly networks: readonly NetworkSpec[]
  readonly devices: readonly RoleSpec[]
  /** VMs that must be ready before this one starts. */
  readonly needs: readonly string[]
  /** Starts only when the host's own network is up (`needs: [host-network]`). */
  readonly needsHostNetwork?: boolean
  /**
   * What others get from this VM, in the owner's words. `host-address` and `host-internet` mean that the host
   * itself depends on it.
   */
  readonly serves?: readonly string[]
  /** When the VM counts as ready. Absent: as soon as its process runs. */
  readonly ready?: ReadySpec
  readonly autostart: boolean
  /** The operating system of the guest; `verify` checks more for a known one. */
  readonly guest: 'linux' | 'freebsd' | 'other'
  readonly vnc: boolean
  readonly hugepages?: boolean
  /** All devices must be on one NUMA node; without it one node is only preferred. */
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

/** A virtual port. `mac` is written in the spec or follows from the VM's name (virtual-mac.ts). */
export type NetworkSpec = { readonly bridge: string; readonly mac: string }

/** A device of the guest, named for its purpose there: `wan`, `lan`, `media-disks`. */
export type RoleSpec = {
  readonly role: string
  readonly select: DeviceSelector
  /** The VM also starts without it. */
  readonly optional?: true
}

/** A device must match all given members. plan/who/select.ts finds the matching devices of a host. */
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
   * Roles with the same word share one physical card; different words mean different cards. This holds across
   * VMs.
   */
  readonly card?: string
  /** Roles with the same word are functions of one slot (ports of one chip). */
  readonly pair?: string
  /** The number among the functions of its class on the card, from 1, in the order of addresses. */
  readonly port?: number
  readonly numaNode?: number
  /** The name of an entry of `host.virtualFunctions`; `number` selects one of its functions. */
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
