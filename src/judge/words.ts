/** Wording shared by the checks: chains, lists, names. */
import { listText } from '../base/text.ts'
import type { HostNeed } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'

/** `/ → vg0/root → md0 → sda → 0000:00:17.0, group 4` */
export function chainText(need: HostNeed, group: number | undefined): string {
  const steps = [...needSteps(need), need.device].join(' → ')
  return group === undefined ? steps : `${steps}, group ${group}`
}

export function addressesText(addresses: readonly PciAddress[]): string {
  return listText(addresses)
}

const companies =
  'Corporation|Corp\\.?|Company|Inc\\.?|Co\\.?,? Ltd\\.?|Ltd\\.?|Limited|Semiconductor|Electronics|Systems|' +
  'Technology|Technologies|and subsidiaries'
const bracketed = /^[^[\]]{1,60}(?:Inc\.?|Corp\.?|Corporation|Ltd\.?) \[([^\]]{2,12})\] (?=\S)/
const legalForms = new RegExp(`^([^[\\]]{1,40}?)(?:,? (?:${companies}))+,? (?=\\S)`)

/**
 * `Advanced Micro Devices, Inc. [AMD] FCH SATA …` → `AMD FCH SATA …`: legal forms do not say which card it
 * is.
 */
export function shortName(name: string): string {
  return name.replace(bracketed, '$1 ').replace(legalForms, '$1 ')
}

/** The way down, top first, without the device; the first step of `interface br0` is not named twice. */
export function needSteps({ what, subject, chain }: HostNeed): string[] {
  const [first, ...below] = chain
  return first !== undefined && subject === first ? [what, ...below] : [what, ...chain]
}
