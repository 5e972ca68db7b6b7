/** What judging found about the devices that leave, short of refusing them; and what planning cannot let pass. */
import type { Finding } from '../finding.ts'
import type { PciAddress } from '../pci/address.ts'
import { placeOf } from '../spec/places.ts'
import { unitMembers, type View } from './view.ts'

type Leaving = { readonly vm: string; readonly address: PciAddress; readonly role?: string }

/** VFIO would refuse these at the start of the VM, so a plan with them would only look done. */
const blocking = new Set(['sriov-active', 'no-interrupt-remapping'])

/** A group all of whose functions have a role of their own is no news: the owner asked for each of them. */
function takesAlong(view: View, address: PciAddress, leaving: readonly Leaving[]): boolean {
  const asked = new Set(leaving.filter(({ role }) => role !== undefined).map((one) => one.address))
  return unitMembers(view, address).some((member) => !asked.has(member))
}

/** Undecided is not good enough to act on: what would decide is missing, so the plan stops there. */
export function warningsOf(
  view: View,
  leaving: readonly Leaving[],
  boot: { readonly needsReboot: boolean },
): Finding[] {
  const findings: Finding[] = []
  const said = new Set<string>()
  for (const { vm, role, address } of leaving) {
    const at = placeOf(view.places, ['vms', vm, 'devices', ...(role === undefined ? [] : [role])], 'key')
    for (const { undecided, ...reason } of view.judgements.get(address)?.reasons ?? []) {
      if (reason.severity === 'error') continue
      if (reason.code === 'group-shared' && !takesAlong(view, address, leaving)) continue
      // An IOMMU that is off is what the boot steps are for; the devices are judged again after the reboot.
      const isBlocking =
        (undecided === true && !(reason.code === 'iommu-off' && boot.needsReboot)) || blocking.has(reason.code)
      const finding: Finding = { ...reason, severity: isBlocking ? 'error' : reason.severity, ...(at ? { at } : {}) }
      // One group is one fact, told at its first member.
      const key =
        reason.code === 'group-shared'
          ? `group ${view.layout.groupOf.get(address) ?? address}`
          : `${reason.code} ${address}`
      if (said.has(key)) continue
      said.add(key)
      findings.push(finding)
    }
  }
  return findings
}
