/**
 * The words of a reason: whole, and brief for a line that names the function already. No page cuts an address
 * out of a message.
 */
import type { Finding } from '../base/finding.ts'
import type { PciAddress } from '../pci/address.ts'
import type { Draft } from '../pci/draft.ts'
import type { Reason } from './types.ts'

type Words = Pick<Reason, 'message' | 'brief'>

/** `has no reset` as `0000:01:00.0 has no reset`. */
export function says(address: PciAddress, brief: string): Words {
  return { message: `${address} ${brief}`, brief }
}

/** `users report …` as `0000:01:00.0: users report …`. */
export function notes(address: PciAddress, brief: string): Words {
  return { message: `${address}: ${brief}`, brief }
}

/** For sentences that name the function in their middle. */
export function mentions(address: PciAddress, sentence: (it: string) => string): Words {
  return { message: sentence(address), brief: sentence('it') }
}

/** Is the reason about this function alone; the reason of a whole set, or of another function, is not. */
export function isAboutOnly({ brief, about }: Reason, address: PciAddress): boolean {
  return brief !== undefined && about?.[0] === address
}

/** The reason on a line that names the function. */
export function briefWords(reason: Reason, address: PciAddress): string {
  return isAboutOnly(reason, address) ? (reason.brief ?? reason.message) : reason.message
}

/** What a document holds of a reason: verdict and plan alone use the rest. */
export function findingOf({ code, severity, message, help, at, about }: Reason): Finding {
  const finding: Draft<Finding> = { code, severity, message }
  if (help !== undefined) finding.help = help
  if (at !== undefined) finding.at = at
  if (about !== undefined) finding.about = about
  return finding
}
