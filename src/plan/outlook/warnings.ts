/**
 * What judging found about the devices that leave, short of refusing them; and what planning cannot let pass.
 */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import { findingOf, isAboutOnly } from '../../judge/reasons.ts'
import type { Reason } from '../../judge/types.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import { hasSerial } from '../../pci/compare-identity.ts'
import type { Identity } from '../../pci/identity.ts'
import { placeOf } from '../../spec/places.ts'
import { conditionalFinding, conditionOf } from './conditions.ts'
import { unitMembers, type View } from '../who/view.ts'

type Leaving = {
  readonly vm: string
  readonly address: PciAddress
  readonly role?: string
  readonly identity: Identity
}

/**
 * VFIO would refuse these at the start of the VM, so a plan with them would only look done; what another VM
 * of the plan holds now is among them.
 */
const blocking = new Set(['sriov-active', 'no-interrupt-remapping', 'vm-running'])

/** The very VM that the plan gives it to runs with it. */
function isHeldBy(view: View, address: PciAddress, vm: string): boolean {
  const holders = (view.judgements.get(address)?.neededBy ?? []).filter(({ kind }) => kind === 'vm')
  return holders.every((holder) => holder.vm === vm)
}

/**
 * A plan always takes a card as a whole, and each function has its own drawbacks beside it, so a group that
 * is one card is no news. Neither is a group whose functions all have a role: the owner asked for each of
 * them.
 */
function isNews(view: View, address: PciAddress, leaving: readonly Leaving[]): boolean {
  const members = unitMembers(view, address)
  const { cardOf } = view.layout
  if (members.every((member) => cardOf.get(member) === cardOf.get(address))) return false
  const asked = new Set(leaving.filter(({ role }) => role !== undefined).map((one) => one.address))
  return members.some((member) => !asked.has(member))
}

/** Undecided is not good enough to act on: what would decide is missing, so the plan stops there. */
export function warningsOf(
  view: View,
  leaving: readonly Leaving[],
  { needsReboot, conditional }: { readonly needsReboot: boolean; readonly conditional: boolean },
): Finding[] {
  const findings: Finding[] = []
  const said = new Set<string>()
  const vmOf = new Map(leaving.map((one) => [one.address, one.vm]))
  for (const { vm, role, address, identity } of leaving) {
    const at = placeOf(view.places, ['vms', vm, 'devices', ...(role === undefined ? [] : [role])], 'key')
    for (const stated of view.judgements.get(address)?.reasons ?? []) {
      const { mates, undecided } = stated
      // All these functions go to this VM, and the reason stands beside the function itself.
      if (mates?.length && mates.every((mate) => vmOf.get(mate) === vm)) continue
      const reason = naming(address, stated)
      if (reason.severity === 'error') continue
      // Twins matter where nothing but the slot distinguishes them, and once.
      if (reason.code === 'identical-devices' && (role === undefined || hasSerial(identity))) continue
      // An IOMMU that is off is what the boot steps are for; the devices are judged again after the reboot.
      if (reason.code === 'iommu-off' && needsReboot) continue
      if (reason.code === 'group-shared' && !isNews(view, address, leaving)) continue
      if (reason.code === 'vm-running' && isHeldBy(view, address, vm)) continue
      const condition = conditional && undecided === true ? conditionOf(stated) : undefined
      const finding: Finding = {
        ...(condition === undefined
          ? asBlocking(reason, undecided === true)
          : conditionalFinding({ ...reason, about: [address] }, condition)),
        ...defined({ at }),
      }
      const key = condition === undefined ? factOf(view, address, reason) : `${address} ${condition.onlyIf}`
      if (said.has(key)) continue
      said.add(key)
      findings.push(finding)
    }
  }
  return findings
}

function asBlocking(reason: Finding, isUndecided: boolean): Finding {
  return isUndecided || blocking.has(reason.code) ? { ...reason, severity: 'error' } : reason
}

/** The reason of many devices names the first few of them; the finding is about this device. */
function naming(address: PciAddress, reason: Reason): Finding {
  const finding = findingOf(reason)
  return isAboutOnly(reason, address) ? finding : { ...finding, message: `${address}: ${reason.message}` }
}

/** What a reason is about, so that a group or a set of twins is reported once, not for each member. */
function factOf(view: View, address: PciAddress, { code, about }: Finding): string {
  if (code === 'identical-devices') return `twins ${(about ?? []).toSorted(compareAddresses).join(' ')}`
  if (code === 'group-shared') return `group ${view.layout.groupOf.get(address) ?? address}`
  return `${code} ${address}`
}
