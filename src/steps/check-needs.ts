/**
 * Checks whether a device may leave the host now. The needs of the host are read again right before each
 * device leaves, since someone may have mounted a disk after the plan was made. Only a need that is new since
 * the plan stops a step; the plan has judged the others, and the user gave them up or settled them.
 */
import { AppError } from '../base/errors.ts'
import type { Host, HostNeed, LostNeed } from '../host/host.ts'
import { readHost } from '../host/read/read-host.ts'
import type { PciAddress } from '../pci/address.ts'
import type { NeedsCheck } from './kind.ts'
import { kindOf, type Step } from './step.ts'
import type { Reader } from '../machine/system.ts'

/**
 * `before` is the host that the plan was made for; `leaving` has every function that the steps take from it.
 */
export function needsCheck(reader: Reader, before: Host, leaving: ReadonlySet<PciAddress>): NeedsCheck {
  return (address) => {
    const now = readHost(reader, undefined, 'verdicts')
    const reason =
      findNew(before, now, { address, leaving }) ??
      findLost(before, now, { address, leaving }) ??
      findUnread(before, now)
    if (reason === undefined) return
    throw new AppError(`${address} stays with the host: ${reason}`, {
      help:
        'this use began after the plan was made; end it, or leave the device to the host, ' +
        'and plan again: handover plan',
    })
  }
}

export function leavingFunctions(steps: readonly Step[]): Set<PciAddress> {
  return new Set(steps.flatMap((step) => kindOf(step).takes?.(step) ?? []))
}

type Asked = { readonly address: PciAddress; readonly leaving: ReadonlySet<PciAddress> }

function findNew(before: Host, now: Host, asked: Asked): string | undefined {
  const known = new Set(vitalNeeds(before, asked).map(keyOf))
  const need = vitalNeeds(now, asked).find((one) => !known.has(keyOf(one)))
  return need && `it is needed for ${[need.what, ...need.chain].join(' → ')}`
}

/** A half of a mirror or a leg of a bond is vital when none of the others stays. */
function vitalNeeds({ needs }: Host, { address, leaving }: Asked): HostNeed[] {
  return needs.filter(
    ({ device, weight, redundant }) =>
      device === address &&
      weight === 'vital' &&
      !(redundant?.others ?? []).some((other) => !leaving.has(other)),
  )
}

const keyOf = ({ kind, what }: Pick<HostNeed, 'kind' | 'what'>) => `${kind} ${what}`

/**
 * The name of a port disappears with the port, so the needs that name a leaving port are lost then. Those
 * needs are not new.
 */
function findLost(before: Host, now: Host, { address, leaving }: Asked): string | undefined {
  const couldBe = ({ lostNeeds = [] }: Host): LostNeed[] =>
    lostNeeds.filter((one) => one.couldBe.includes(address))
  const known = new Set(
    [...couldBe(before), ...before.needs.filter(({ device }) => leaving.has(device))].map(keyOf),
  )
  const lost = couldBe(now).find((one) => !known.has(keyOf(one)))
  return lost && `it may be needed for ${[lost.what, ...lost.chain, lost.lost].join(' → ')}: ${lost.why}`
}

function findUnread(before: Host, now: Host): string | undefined {
  const kind = now.unreadNeeds?.find((one) => !before.unreadNeeds?.includes(one))
  return kind && `the host's needs of the kind "${kind}" can no longer be read`
}
