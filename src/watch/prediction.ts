/** What another kernel would change: one such thing, and what a quirk does that only one of them has. */
import type { PciAddress } from '../pci/address.ts'
import type { Kernel } from '../pci/quirks/kernel-release.ts'

export type Prediction = {
  readonly about: readonly PciAddress[]
  /**
   * `high`: both kernels are known to have the quirk or to lack it, and nothing else is in doubt. A `low` one
   * may be wrong in either direction.
   */
  readonly confidence: 'high' | 'low'
  readonly why: string
  /** The file of the kernel, and the releases since which it has the quirk. */
  readonly source: string
} & (GroupChange | ResetChange)

/** The members of the group. */
export type GroupChange = {
  readonly kind: 'group'
  readonly before: readonly PciAddress[]
  readonly after: readonly PciAddress[]
}

/** The methods that the kernel lists. */
export type ResetChange = {
  readonly kind: 'reset'
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export type TwoKernels = { readonly now: Kernel | undefined; readonly next: Kernel }

export type QuirkChange = { readonly gains: boolean; readonly confidence: Prediction['confidence'] }

/**
 * Undefined if nothing changes, or nothing is known of either kernel. A kernel of which nothing is known may
 * have the quirk or not: then the other one may gain or lose it.
 */
export function changeOf(now: boolean | undefined, next: boolean | undefined): QuirkChange | undefined {
  if (now === next) return undefined
  const isSure = now !== undefined && next !== undefined
  return { gains: next ?? now === false, confidence: isSure ? 'high' : 'low' }
}
