/**
 * Plan: the whole answer, complete before anything is touched. Made by `plan()` (plan/plan.ts), rendered by
 * the CLI, performed by apply/.
 */
import type { Finding } from '../base/finding.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Identity } from '../pci/identity.ts'
import type { Concession } from './who/concessions.ts'
import type { OutageStep } from './outlook/outage.ts'
import type { Settled } from './who/settled.ts'
import type { Step } from '../steps/step.ts'

export type Assignment = {
  readonly vm: string
  readonly role: string
  readonly address: PciAddress
  readonly identity: Identity
  /** The driver the host used for it before: what a Linux guest is expected to use as well. */
  readonly hostDriver: string | null
  /** The port had a link while the host had it. Absent: it had none, or nobody could tell. */
  readonly link?: true
  /** In a conditional plan: what has to be true on the machine, `the host does not use it …`. */
  readonly onlyIf?: readonly string[]
  /** The place it had in the lock, when it answers elsewhere now. */
  readonly moved: { readonly from: string; readonly to: string } | null
}

/** A function that leaves the host only because its group or card does; it follows its VM. */
export type TakenAlong = {
  readonly vm: string
  readonly address: PciAddress
  readonly because: string
  readonly identity: Identity
  /** As in an assignment. */
  readonly onlyIf?: readonly string[]
}

export type Plan = {
  /** The input does not say what the host uses: what it leaves open counts as free. There are no steps. */
  readonly conditional?: true
  readonly assignments: readonly Assignment[]
  readonly takenAlong: readonly TakenAlong[]
  readonly spare: readonly PciAddress[]
  /** Devices a person might have thought of, and the host's reason to keep them: `/ → sda`. */
  readonly staying: readonly { readonly address: PciAddress; readonly because: string }[]
  /** `vm/role` whose lock is in doubt: replaced, ambiguous or missing. `handover lock` decides them again. */
  readonly doubtful?: readonly string[]
  /** Doubts about what the host uses that the spec settles (`host: not-in-use`). */
  readonly settled?: readonly Settled[]
  /**
   * What the host uses and loses by this plan, and the spec does not give up by name: `apply` asks for each.
   */
  readonly concessions?: readonly Concession[]
  readonly findings: readonly Finding[]
  /** Empty when a finding is an error, and when the host is already as planned. */
  readonly steps: readonly Step[]
  readonly needsReboot: boolean
  /** Virtual functions are made by this plan; what waits for them is in the plan after its apply. */
  readonly again?: true
  readonly memory: { readonly pinnedMiB: number; readonly hostTotalMiB: number | null }
  /** VM names in start order. */
  readonly startOrder: readonly string[]
  /** What is down while this host reboots, in the order it comes back. */
  readonly outage?: readonly OutageStep[]
}

/** A plan of nothing. */
export const emptyPlan: Plan = {
  assignments: [],
  takenAlong: [],
  spare: [],
  staying: [],
  findings: [],
  steps: [],
  needsReboot: false,
  memory: { pinnedMiB: 0, hostTotalMiB: null },
  startOrder: [],
}
