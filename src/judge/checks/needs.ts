/** The function itself carries something the host needs. One finding per kind, with every chain in it. */
import { listText } from '../../base/text.ts'
import type { FindingCode } from '../../base/finding.ts'
import type { HostNeed } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'
import type { HostView } from '../host-view.ts'
import { chainText } from '../words.ts'

export const needCodes: Readonly<Record<HostNeed['kind'], FindingCode>> = {
  disk: 'host-disk',
  network: 'host-network',
  display: 'boot-display',
  console: 'host-console',
  input: 'host-input',
  chipset: 'host-chipset',
  vm: 'vm-running',
  use: 'host-use',
}

const helps: Readonly<Record<HostNeed['kind'], string>> = {
  disk: 'move what is on these disks to another controller first, or choose another device',
  network: 'give the host another way in and out first (a second network card), or choose another device',
  display:
    'make another card the boot display in the firmware setup, or list boot-display under host: give-up',
  console: 'use a serial console or SSH, or list text-console under host: give-up',
  input: 'plug the keyboard into another controller, or list keyboard under host: give-up',
  chipset: 'it is part of the board; alone it is of no use to a VM',
  vm: 'stop that VM first',
  use: 'stop what uses it first, or name it under host: give-up',
}

const verbs: Readonly<Partial<Record<HostNeed['kind'], string>>> = {
  chipset: 'is the',
  vm: 'is held by',
  use: 'serves',
}

/** What a person gives up by its word in the spec. Root, boot and the network cannot be given up. */
export const giveUpWords: Readonly<Partial<Record<HostNeed['kind'], string>>> = {
  display: 'boot-display',
  console: 'text-console',
  input: 'keyboard',
}

export function isGivenUp({ kind }: HostNeed, giveUp: ReadonlySet<string>): boolean {
  const word = giveUpWords[kind]
  return word !== undefined && giveUp.has(word)
}

/**
 * A leg of a bond or a mirror is not vital as long as another leg stands outside its group: its loss degrades
 * the need. That no plan takes all legs at once is checked where the whole plan is known (plan/last-legs.ts).
 */
export function isVital(need: HostNeed, view: HostView): boolean {
  if (need.weight !== 'vital' || isGivenUp(need, view.giveUp)) return false
  if (need.kind === 'vm' && need.vm !== undefined && view.ownVms.has(need.vm)) return false
  return !isLeg(need, view)
}

/** True when the need stands on another function that does not leave together with this one. */
export function isLeg({ device, redundant }: HostNeed, view: HostView): boolean {
  const group = groupAt(device, view)
  return (redundant?.others ?? []).some(
    (other) => other !== device && (group === undefined || groupAt(other, view) !== group),
  )
}

function groupAt(address: PciAddress, view: HostView): number | undefined {
  const device = view.byAddress.get(address)
  return device && view.groupOf(device)?.id
}

export const checkNeeds: Check = (device, view) => {
  const carried = view.needsOf(device.address)
  if (carried.length === 0) return nothing
  return [...byKind(carried)].map(([kind, needs]) => {
    const group = view.groupOf(device)?.id
    const vital = needs.filter((need) => isVital(need, view))
    const shown = vital.length > 0 ? vital : needs
    const what = listText([...new Set(shown.map((need) => need.what))])
    const chains = listText(
      [...new Set(shown.filter((need) => need.chain.length > 0).map((need) => chainText(need, group)))],
      4,
    )
    return {
      code: needCodes[kind],
      severity: vital.length > 0 ? 'error' : 'warning',
      ...says(
        device.address,
        `${verbs[kind] ?? 'carries'} ` +
          `${what}${kind === 'chipset' ? ' of this board' : chains === '' ? '' : `: ${chains}`}`,
      ),
      help: helps[kind],
      about: [device.address],
    }
  })
}

function byKind(needs: readonly HostNeed[]): Map<HostNeed['kind'], HostNeed[]> {
  const kinds = new Map<HostNeed['kind'], HostNeed[]>()
  for (const need of needs) {
    const list = kinds.get(need.kind)
    if (list) list.push(need)
    else kinds.set(need.kind, [need])
  }
  return kinds
}
