/** What goes along with the assigned devices, what stays spare, and what stays because it must. */
import { briefWords } from '../../judge/reasons.ts'
import { needSteps } from '../../judge/words.ts'
import { compareAddresses, type PciAddress } from '../../pci/address.ts'
import { deviceClass, isBridge } from '../../pci/device.ts'
import { identityOf } from '../../pci/identity.ts'
import type { Assignment, Plan, TakenAlong } from '../types.ts'
import { mayGo, refusalsOf, unitMembers, type View } from './view.ts'

export function takeAlong(view: View, assignments: readonly Assignment[]): TakenAlong[] {
  const given = new Set(assignments.map(({ address }) => address))
  const taken: TakenAlong[] = []
  for (const { vm, address } of assignments) {
    for (const member of unitMembers(view, address)) {
      const device = view.layout.devices.get(member)
      if (given.has(member) || device === undefined) continue
      given.add(member)
      const group = view.layout.groupOf.get(member)
      const inGroup = group !== undefined && group === view.layout.groupOf.get(address)
      const because = inGroup ? `group ${group}` : `same card as ${address}`
      taken.push({ vm, address: member, because, identity: identityOf(device, view.layout.devices) })
    }
  }
  return taken.toSorted((a, b) => compareAddresses(a.address, b.address))
}

/** Sound and the board's small functions are no spares anybody looks for. */
const worthNaming = new Set(['nic', 'storage', 'nvme', 'gpu', 'usb'])

function nameable(view: View): PciAddress[] {
  return view.host.devices
    .filter((device) => !isBridge(device) && worthNaming.has(deviceClass(device)))
    .map(({ address }) => address)
    .toSorted(compareAddresses)
}

export function sparesOf(view: View, leaving: ReadonlySet<PciAddress>): PciAddress[] {
  // What the input leaves undecided is no spare: the host may need it.
  return nameable(view).filter(
    (address) =>
      !leaving.has(address) && mayGo(view, address) && view.judgements.get(address)?.verdict !== 'unknown',
  )
}

export function stayingOf(view: View, gone: ReadonlySet<PciAddress>): Plan['staying'] {
  return nameable(view)
    .filter((address) => !mayGo(view, address) && !vanishes(view, address, gone))
    .map((address) => ({ address, because: because(view, address) }))
}

/** A drive behind a VMD that leaves neither stays nor is given: it ceases to exist. */
function vanishes(view: View, address: PciAddress, gone: ReadonlySet<PciAddress>): boolean {
  const reasons = view.judgements.get(address)?.reasons ?? []
  return reasons.some(({ code, about }) => code === 'behind-vmd' && about?.some((one) => gone.has(one)))
}

/** The chain when the host needs it, else the first reason. */
function because(view: View, address: PciAddress): string {
  const needs = [address, ...unitMembers(view, address)].flatMap((member) =>
    (view.judgements.get(member)?.neededBy ?? []).flatMap((need) =>
      need.weight === 'vital' ? [{ member, need }] : [],
    ),
  )
  const first = needs.find(({ need }) => need.kind !== 'chipset') ?? needs[0]
  if (first !== undefined) {
    const where = first.member === address ? '' : ` (${first.member}, in its group)`
    return `${needSteps(first.need).join(' → ')}${where}`
  }
  const [refusal] = refusalsOf(view, address)
  return refusal === undefined ? 'refused' : briefWords(refusal, address)
}
