/** What every check may ask of the Host: look-ups, made once per judgement (view.ts). */
import type { Host, HostNeed, IommuGroup, LostNeed } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import type { PciDevice } from '../pci/device.ts'
import type { ReservedMemory } from '../pci/dmar.ts'
import type { Isolation } from '../pci/isolation.ts'
import type { PredictedGroup } from '../pci/predict-groups.ts'
import type { PlatformOptions } from '../pci/platform.ts'
import type { ResetJudgement } from '../pci/reset.ts'
import type { Topology } from '../pci/topology-node.ts'
import type { AcsOverrideFound } from './acs-words.ts'

export type HostView = {
  readonly host: Host
  readonly byAddress: ReadonlyMap<PciAddress, PciDevice>
  readonly groups: readonly IommuGroup[]
  readonly groupOf: (device: PciDevice) => IommuGroup | undefined
  /** Whether the function leaves the host when its group does. */
  readonly leaves: (device: PciDevice) => boolean
  /** A word for its card, without meaning but that functions of one card share it. */
  readonly cardOf: (address: PciAddress) => string | undefined
  /** Needs carried by the function, or by something that hangs below it (disks behind a VMD controller). */
  readonly needsOf: (address: PciAddress) => readonly HostNeed[]
  /** The functions without which this one is not there: its VMD, its physical function. */
  readonly aboveOf: (address: PciAddress) => readonly PciAddress[]
  readonly giveUp: ReadonlySet<string>
  readonly ownVms: ReadonlySet<string>
  /**
   * Lost needs that could end at the function, or at something that hangs below it; settled ones are left
   * out.
   */
  readonly lostAt: (address: PciAddress) => readonly LostNeed[]
  readonly topology: Topology
  /** Kernel, parameters and firmware tables, as pci/ wants them. */
  readonly platform: PlatformOptions
  /** The groups that the kernel will form. Computed on first use, as the next four. */
  readonly predicted: () => readonly PredictedGroup[]
  readonly isolation: () => ReadonlyMap<number, Isolation>
  /** RMRRs of the firmware's DMAR table by function, where the table could be read. */
  readonly reservedMemory: () => ReadonlyMap<PciAddress, readonly ReservedMemory[]>
  readonly acsOverride: () => AcsOverrideFound | undefined
  readonly resetOf: (address: PciAddress) => ResetJudgement | undefined
  /** Devices with the same ids, the device itself among them; absent where there is no other. */
  readonly alike: (device: PciDevice) => Alike | undefined
}

export type Alike = {
  readonly devices: readonly PciDevice[]
  /** The subsystem was read of each and is the same, too. */
  readonly bySubsystem: boolean
}
