/**
 * PciDevice: one PCI function as the kernel (or a pasted listing) states it. Data only.
 * An absent key means "the input does not say"; `null` means "known to have none".
 */
import type { VirtualFunctionSettings } from './virtual-functions.ts'
import { addressParts, type PciAddress } from './address.ts'
import type { FunctionFacts, PortType } from './facts.ts'

export type Bar = {
  /** 0 to 5, 6 for the expansion ROM; `lspci -v` does not say which one it prints, `-vv` does. */
  readonly index?: number
  readonly kind: 'memory' | 'io' | 'rom'
  /** Host physical address as hex without `0x`; absent when unassigned. */
  readonly base?: string
  /** Bytes; absent when the input does not state sizes. */
  readonly size?: number
  readonly is64Bit?: boolean
  readonly prefetchable?: boolean
}

export type NetworkInterface = {
  readonly name: string
  /** The address it uses now; lower-case, colon-separated. */
  readonly mac?: string
  /** The address burnt into the card; differs from `mac` under a bond. */
  readonly permanentMac?: string
  /** Carrier as sysfs states it; unreadable (interface down) is absent. */
  readonly carrier?: boolean
  readonly speedMbps?: number
}

export type Disk = {
  /** Kernel name without `/dev/`: `sda`, `nvme0n1`. */
  readonly name: string
  readonly model?: string
  readonly serial?: string
  readonly wwn?: string
  readonly sizeBytes?: number
}

export type Link = {
  readonly speed?: string
  readonly width?: number
  readonly maxSpeed?: string
  readonly maxWidth?: number
}

export type PciDevice = {
  readonly address: PciAddress
  /** From pci.ids or the listing's own words. */
  readonly name?: string
  /** 4 lower-case hex digits without `0x`. */
  readonly vendorId?: string
  readonly deviceId?: string
  readonly subsystemVendorId?: string
  readonly subsystemId?: string
  /**
   * 6 lower-case hex digits: class, subclass, programming interface; the first 4 only where a listing states
   * `[0108]` and no more.
   */
  readonly classCode?: string
  readonly className?: string
  /** 2 lower-case hex digits. */
  readonly revision?: string
  readonly driver?: string | null
  readonly driverOverride?: string | null
  readonly modules?: readonly string[]
  readonly iommuGroup?: number | null
  readonly numaNode?: number
  /** As in sysfs `reset_method`, in the kernel's order; empty when it states none. */
  readonly resetMethods?: readonly string[]
  readonly headerType?: 0 | 1 | 2
  readonly multifunction?: boolean
  readonly portType?: PortType
  /** The bridge above; absent on a root bus or when unknown. */
  readonly parent?: PciAddress
  /** Bus numbers below a bridge. */
  readonly secondaryBus?: number
  readonly subordinateBus?: number
  /** Place without bus numbers: `0000:00/1c.0/00.0` = root bus, then slot.function at each step down. */
  readonly path?: string
  readonly physicalSlot?: string
  /** Configuration space as the input gives it: lower-case hex, 64, 256 or 4096 bytes. */
  readonly config?: string
  /** What decides grouping and reset, from `config` (see config-space.ts) or from the listing's own words. */
  readonly facts?: FunctionFacts
  readonly bars?: readonly Bar[]
  readonly link?: Link
  readonly bootVga?: boolean
  readonly sriov?: {
    /** Absent where only those that exist are stated. */
    readonly totalVfs?: number
    readonly numVfs: number
    /** `sriov_drivers_autoprobe`: new virtual functions go to the host's own drivers. */
    readonly driversAutoprobe?: boolean
    /** By number; absent where nothing was asked or nothing answered. */
    readonly functions?: readonly VirtualFunctionSettings[]
  }
  readonly physFn?: PciAddress
  /** Its number among the virtual functions of `physFn`, where no path ends with it. */
  readonly vfNumber?: number
  readonly networkInterfaces?: readonly NetworkInterface[]
  readonly disks?: readonly Disk[]
  /**
   * PCI Express Device Serial Number, 16 lower-case hex digits, high dword first; all-zero and all-ff are
   * absent.
   */
  readonly deviceSerialNumber?: string
  readonly vpdSerial?: string
  readonly nvmeSerial?: string
  readonly sasAddress?: string
}

/** PCI-to-PCI and CardBus bridges; host bridges (class 0600) are endpoints to the bus and not meant here. */
export function isBridge(device: PciDevice): boolean {
  const { headerType, classCode } = device
  return (
    headerType === 1 ||
    headerType === 2 ||
    classCode?.startsWith('0604') ||
    classCode?.startsWith('0607') ||
    false
  )
}

/** By its path where that is known; of a plain listing only bus 0 is sure. */
export function isOnRootBus(device: PciDevice): boolean {
  if (device.path !== undefined) return device.path.split('/').length === 2
  return device.parent === undefined && addressParts(device.address).bus === 0
}

export function isVirtualFunction(device: PciDevice): boolean {
  return device.physFn !== undefined
}

export type DeviceClass = 'nic' | 'storage' | 'nvme' | 'gpu' | 'usb' | 'audio' | 'other'

/** The class a person would name in a spec; NVMe is a class of its own beside other storage. */
export function deviceClass(device: PciDevice): DeviceClass {
  const code = device.classCode ?? ''
  if (code.startsWith('0108')) return 'nvme'
  if (code.startsWith('01')) return 'storage'
  if (code.startsWith('02')) return 'nic'
  if (code.startsWith('03')) return 'gpu'
  if (code.startsWith('0c03')) return 'usb'
  if (code.startsWith('0401') || code.startsWith('0403')) return 'audio'
  return 'other'
}

/** Makers of wired adapters that state the class 0280, "other network controller", as radios do. */
const wiredOthers: ReadonlySet<string | undefined> = new Set(['15b3', '177d', '19ee'])

/** A radio: it takes no cable, so nobody means it who asks for any network port. */
export function isWireless({ classCode = '', vendorId, networkInterfaces }: PciDevice): boolean {
  if (!classCode.startsWith('02')) return false
  if (networkInterfaces?.some(({ name }) => /^w[lw]/.test(name))) return true
  return /^028[02]/.test(classCode) && !wiredOthers.has(vendorId)
}
