/**
 * Findings: data about the user's world, collected and never thrown.
 * The list of codes is closed; every code has a row in docs/findings.md and a scenario that produces it.
 */
import type { PciAddress } from '../pci/address.ts'

/** The names of the first group are fixed from outside; the other groups follow. */
export const findingCodes = [
  'iommu-off',
  'iommu-absent',
  'iommu-off-in-firmware',
  'no-interrupt-remapping',
  'group-shared',
  'group-not-viable',
  'isolation-unproven',
  'acs-override',
  'reserved-region',
  'no-reset',
  'reset-bug',
  'boot-display',
  'host-disk',
  'host-network',
  'host-console',
  'host-input',
  'not-an-endpoint',
  'driver-denied',
  'sriov-active',
  'identical-devices',
  'device-missing',
  'device-moved',
  'device-replaced',
  'device-ambiguous',
  'device-twice',
  'memory-overcommit',
  'ids-binding',
  'spec-syntax',
  'spec-unknown-key',
  'spec-value',
  // reading the machine
  'unreadable',
  'input-incomplete',
  'two-machines',
  // deciding
  'demands-conflict',
  'device-reassigned',
  'kept',
  'keep-unknown',
  'lock-unreadable',
  // booting
  'boot-manual',
  'boot-ambiguous',
  'no-trial',
  'boot-left-alone',
  'kernel-argument',
  'trial-unconfirmed',
  'trial-failed',
  'driver-blacklisted',
  'driverctl-override',
  'still-bound',
  'held-at-boot',
  'virtual-functions',
  'virtual-functions-first',
  'hugepages-missing',
  'start-cycle',
  'host-behind-vm',
  'not-started',
  'bridge-missing',
  // starting VMs
  'file-missing',
  'image-shared',
  'too-many-cpus',
  'nothing-to-boot',
  'firmware-missing',
  // judging devices
  'no-group',
  'behind-vmd',
  'host-chipset',
  'vm-running',
  'device-silent',
  'no-virtualisation',
  'need-lost',
  'host-use',
  // what the user states about the host
  'not-in-use',
  'give-up',
] as const

export type FindingCode = (typeof findingCodes)[number]

export type Severity = 'error' | 'warning' | 'note'

/** A place in a text file. `line` and `column` count from 1; `length` counts characters on that line. */
export type Place = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length?: number
}

export type Finding = {
  readonly code: FindingCode
  readonly severity: Severity
  /** Names the thing, what is wrong with it, and the fact that shows it. */
  readonly message: string
  /** What to do now. A command in it can be pasted into a shell. */
  readonly help?: string
  readonly at?: Place
  readonly about?: readonly PciAddress[]
}

/** A plan with an error has no steps, and a command with an error exits with 1. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((f) => f.severity === 'error')
}
