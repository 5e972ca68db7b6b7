/**
 * A bond, a mirror or a set of paths keeps the host alive as long as one leg stands. Each leg alone may go; a
 * plan that takes all of them is stopped.
 */
import type { Finding } from '../../base/finding.ts'
import type { HostNeed } from '../../host/host.ts'
import { needCodes } from '../../judge/checks/needs.ts'
import { addressesText } from '../../judge/words.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'

export function checkLastLegs(needs: readonly HostNeed[], gone: ReadonlySet<PciAddress>): Finding[] {
  const findings = new Map<string, Finding>()
  for (const { kind, what, device, redundant, weight } of needs) {
    if (redundant === undefined || redundant.others.length === 0 || weight !== 'vital') continue
    const legs = [device, ...redundant.others].toSorted(compareAddresses)
    if (!legs.every((leg) => gone.has(leg))) continue
    findings.set(`${what} ${redundant.set}`, {
      code: needCodes[kind],
      severity: 'error',
      message: `this plan takes all of ${redundant.set} away, which carries ${what}: ${addressesText(legs)}`,
      help: 'leave at least one of them with the host',
      about: legs,
    })
  }
  return [...findings.values()]
}
