/**
 * One group, one verdict: what leaves together is judged together, so no member is better than its group. A
 * member's own reasons (its reset, its twins) may make it worse.
 */
import { listText } from '../base/text.ts'
import type { FindingCode } from '../base/finding.ts'
import type { IommuGroup } from '../host/host.ts'
import type { PciAddress } from '../pci/address.ts'
import { isBridge, type PciDevice } from '../pci/device.ts'
import { nothing } from './check.ts'
import { standOf, type Stand } from './chipset.ts'
import { isVital } from './checks/needs.ts'
import { says } from './reasons.ts'
import type { Reason } from './types.ts'
import type { HostView } from './host-view.ts'
import { companions } from './view.ts'
import { addressesText, chainText } from './words.ts'

type OwnReasons = (address: PciAddress) => readonly Reason[]

type Said = { readonly address: PciAddress; readonly reason: Reason }

/** What the members of one group have against it, the first of each kind first. */
type Against = {
  readonly refused: readonly Said[]
  readonly open: readonly Said[]
  readonly doubts: readonly Said[]
}

/** Groups are asked for each of their members; what they say is gathered once. */
export function groupJudge(view: HostView, ownReasons: OwnReasons): (device: PciDevice) => readonly Reason[] {
  const known = new Map<number, Against>()
  return (device) => {
    const group = view.groupOf(device)
    // A part of the board is never given, so it does not matter what would leave with it.
    if (!group || group.devices.length < 2 || isBridge(device) || standOf(device) !== undefined)
      return nothing
    const others = companions(device, view)
    if (others.length === 0) return nothing
    let against = known.get(group.id)
    if (against === undefined) known.set(group.id, (against = gather(group, view, ownReasons)))
    return reasonsOf(device, { group, others, against, view, own: ownReasons(device.address) })
  }
}

/** Reasons that are true of each member, or of one function only: they say nothing about the others. */
const notOfTheGroup: ReadonlySet<FindingCode> = new Set([
  'iommu-off',
  'iommu-absent',
  'iommu-off-in-firmware',
  'no-interrupt-remapping',
  'reserved-region',
  'isolation-unproven',
  'acs-override',
  'identical-devices',
  'host-chipset',
  'sriov-active',
])

function gather(group: IommuGroup, view: HostView, ownReasons: OwnReasons): Against {
  const refused: Said[] = []
  const open: Said[] = []
  const doubts: Said[] = []
  for (const address of group.devices) {
    const member = view.byAddress.get(address)
    if (member === undefined || !view.leaves(member)) continue
    const stand = standOf(member)
    if (stand !== undefined) {
      const reason = silicon(member, stand, view)
      if (stand === 'held') refused.push({ address, reason })
      else if (stand === 'unsaid') open.push({ address, reason })
      else if (stand === 'loose') doubts.push({ address, reason })
      continue
    }
    for (const reason of ownReasons(address)) {
      if (notOfTheGroup.has(reason.code)) continue
      if (reason.undecided === true) open.push({ address, reason })
      else if (reason.severity === 'error') refused.push({ address, reason })
      else if (reason.severity === 'warning') doubts.push({ address, reason })
    }
  }
  // A disk or a route with its chain says more than the board's own buses that often share its group.
  refused.sort((a, b) => rankOf(a) - rankOf(b))
  return { refused, open, doubts }
}

const rankOf = ({ reason }: Said) =>
  reason.code === 'host-chipset' ? 2 : reason.code.startsWith('host-') ? 0 : 1

function silicon(member: PciDevice, stand: Stand, view: HostView): Reason {
  const { address, driver } = member
  const what = view.needsOf(address).find(({ kind }) => kind === 'chipset')?.what ?? 'function'
  const about = [address]
  if (stand === 'unsaid')
    return {
      code: 'input-incomplete',
      severity: 'note',
      undecided: true,
      unread: 'driver',
      message: `the input does not say whether a driver holds ${address}, the ${what} of this board`,
      help: 'add the output of: lspci -nnk',
      about,
    }
  const held = typeof driver === 'string' ? `, which ${driver} holds` : ''
  return {
    code: 'host-chipset',
    severity: 'warning',
    message: `${address} is the ${what} of this board${held}`,
    about,
  }
}

type Question = {
  readonly group: IommuGroup
  readonly others: readonly PciAddress[]
  readonly against: Against
  readonly view: HostView
  readonly own: readonly Reason[]
}

function reasonsOf(device: PciDevice, question: Question): readonly Reason[] {
  const { group, others, against, view, own } = question
  const first = (said: readonly Said[]) => said.find(({ address }) => address !== device.address)
  const reasons: Reason[] = []
  const refused = first(against.refused)
  if (refused) reasons.push(notViable(device, refused, { group, view }))
  const open = first(against.open)
  if (open && !refused && !own.some(({ undecided }) => undecided))
    reasons.push(leftOpenBy(device, open, group))
  const doubts = against.doubts.filter(({ address }) => address !== device.address)
  reasons.push(shared(device, { others, group, doubts, view }))
  return reasons
}

function notViable(
  { address }: PciDevice,
  { address: mate, reason }: Said,
  { group, view }: { readonly group: IommuGroup; readonly view: HostView },
): Reason {
  const need = view.needsOf(mate).find((one) => one.kind !== 'chipset' && isVital(one, view))
  const what =
    reason.code === 'host-chipset' || need === undefined
      ? `${mate}, which stays with the host: ${reason.message}`
      : `${mate}, which the host needs: ${chainText(need, group.id)}`
  return {
    code: 'group-not-viable',
    severity: 'error',
    ...says(address, `shares IOMMU group ${group.id} with ${what}`),
    help: 'put the card into a slot with a group of its own, or choose another device',
    about: [address, mate],
    mates: [mate],
  }
}

function leftOpenBy({ address }: PciDevice, { address: mate, reason }: Said, group: IommuGroup): Reason {
  return {
    ...reason,
    ...says(address, `leaves together with ${mate} (IOMMU group ${group.id}): ${reason.message}`),
    about: [address, mate],
    mates: [mate],
  }
}

/**
 * A fact where the functions of one card leave together; worth a look where something else does, or has a
 * drawback.
 */
function shared(
  device: PciDevice,
  {
    others,
    group,
    doubts,
    view,
  }: Pick<Question, 'others' | 'group' | 'view'> & { readonly doubts: readonly Said[] },
): Reason {
  const about = [device.address, ...others]
  const isCard = others.every((address) => view.cardOf(address) === view.cardOf(device.address))
  if (isCard && doubts.length === 0)
    return {
      code: 'group-shared',
      severity: 'note',
      message:
        `${about.length} functions leave the host together: ${addressesText([...about].toSorted())} (IOMMU ` +
        `group ${group.id})`,
      about,
    }
  const why = listText([...new Set(doubts.map(({ reason }) => reason.message))], 3)
  return {
    code: 'group-shared',
    severity: 'warning',
    ...says(
      device.address,
      `leaves the host together with ${addressesText(others)}: they share IOMMU group ${group.id}` +
        (why === '' ? '' : `; ${why}`),
    ),
    help: helpOf(isCard, others, view),
    about,
  }
}

function helpOf(isCard: boolean, others: readonly PciAddress[], view: HostView): string {
  if (isCard) return 'give all functions of the card to the same VM'
  const isSilicon = (address: PciAddress) => {
    const member = view.byAddress.get(address)
    return member !== undefined && standOf(member) !== undefined
  }
  return others.every(isSilicon)
    ? 'the host does without that as long as the VM has the group'
    : 'give them to the same VM, or put the card into a slot with a group of its own'
}
