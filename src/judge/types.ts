/**
 * Judgement: what may be given away, computed from a Host and nothing else. `inspect` shows it and `plan`
 * obeys it, so a device refused here is refused everywhere.
 */
import type { Finding } from '../base/finding.ts'
import type { PciAddress } from '../pci/address.ts'
import type { HostNeed, IommuGroup } from '../host/host.ts'

/**
 * refused: giving it away harms the host or cannot work. unknown: the input lacks what would decide. caution:
 * possible, with a drawback to accept. ready: nothing known speaks against it.
 */
export type Verdict = 'ready' | 'caution' | 'refused' | 'unknown'

/**
 * What an input can leave open: whether the host uses the function (as its disk, network, input, display or
 * console), what kind of device it is, its IOMMU group, and whether a driver holds it.
 */
export type Unread = 'disk' | 'network' | 'input' | 'display' | 'console' | 'class' | 'group' | 'driver'

/**
 * One reason: `severity` error refuses, warning cautions, note only informs. `undecided` leaves the verdict
 * open; an undecided error gives the verdict `unknown`, and no plan takes the device.
 */
export type Reason = Finding & {
  readonly undecided?: boolean
  /** With `undecided`: the fact that the input does not state, and that a look at the machine would. */
  readonly unread?: Unread
  /**
   * The message where the function, `about[0]`, is named already: `has no usable reset`. Absent where the
   * message is about several functions alike.
   */
  readonly brief?: string
  /**
   * Functions that the reason depends on: the member of the group that has the reason itself, or functions
   * that only reset together with this one.
   */
  readonly mates?: readonly PciAddress[]
}

export type DeviceJudgement = {
  readonly address: PciAddress
  readonly verdict: Verdict
  readonly reasons: readonly Reason[]
  /** Needs carried by this very function. */
  readonly neededBy: readonly HostNeed[]
  /** Functions that leave the host with it: endpoints of its group, itself not included. */
  readonly goesWith: readonly PciAddress[]
}

export type GroupJudgement = IommuGroup & {
  /** VFIO's word: every member is on a VFIO or stub driver, has none, or is a bridge the kernel tolerates. */
  readonly viable: boolean | undefined
  /** What ACS on the path really gives, beside what the kernel claims. */
  readonly isolated: 'yes' | 'no' | 'unknown'
}

export type Judgement = {
  /** In the order of `host.devices`. */
  readonly devices: readonly DeviceJudgement[]
  readonly groups: readonly GroupJudgement[]
  /** The forecast from configuration space alone; absent where the input does not carry it. */
  readonly predicted?: readonly {
    readonly devices: readonly PciAddress[]
    readonly confidence: 'high' | 'low'
  }[]
  /**
   * About the host as a whole; never errors, because turning an IOMMU on is something a plan can do. What
   * reading met stays in `host.findings`.
   */
  readonly findings: readonly Finding[]
}

/**
 * `giveUp`: what a person really gives up (`host.giveUp` in a spec); refusals of that kind become cautions.
 */
export type JudgeOptions = {
  readonly giveUp?: readonly string[]
  /**
   * Identities that the person says are not in use (`host.notInUse`): they settle a lost need, never a proven
   * one.
   */
  readonly notInUse?: readonly string[]
  /** Names of VMs of the plan itself: what one of them holds (`HostNeed.vm`) is not refused. */
  readonly ownVms?: readonly string[]
}
