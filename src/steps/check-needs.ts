/**
 * May this device leave the host now? What the host needs is read again right before each single device
 * leaves: a backup disk that somebody mounted a second ago is in no plan. Only what is new since the plan
 * stops a step; what was there then was judged then, and the person gave it up or settled it.
 */
import { AppError } from '../base/errors.ts'
import type { Host, HostNeed, LostNeed } from '../host/host.ts'
import { readHost } from '../host/read/read-host.ts'
import type { PciAddress } from '../pci/address.ts'
import type { NeedsCheck } from './kind.ts'
import { kindOf, type Step } from './step.ts'
import type { Reader } from '../machine/system.ts'

/**
 * `before`: the host that the plan was made of. `leaving`: every function that the steps take from the host.
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
        'this came since the plan was made; end that use, or leave the device to the host, ' +
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

/** A mirror half or a bond leg counts when none of the others stays. */
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
 * A port that leaves takes its name along, and what names the port leads nowhere then: that need was known
 * before.
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
  return kind && `what the host needs of the kind "${kind}" cannot be read any more`
}
