/**
 * Finds the ends of needs in pasted text: the functions of interfaces and disks, or an unknown end. The
 * output of `ip`, `lsblk` and similar commands names interfaces and disks, and only some lines show their
 * functions.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { HostNeed, LostNeed } from '../../host/host.ts'
import { stateNeed, type DeviceDraft, type HostDraft } from './draft.ts'

/** A name → the names below it: the ports of a bridge, the partition of a volume. */
export type Stack = Map<string, Set<string>>

export type PastedNeed = Pick<
  HostNeed,
  'kind' | 'what' | 'weight' | 'isDefaultRoute' | 'mountPoint' | 'subject'
> & {
  readonly name: string
  /** The name may be virtual (a bridge of containers), so an unknown end is not a lost need. */
  readonly mayBeVirtual?: boolean
}

/** More than any machine has. */
const mostNames = 4096

export function standsOn(stack: Stack, upper: string, lower: string): void {
  const known = stack.get(upper) ?? new Set<string>()
  if (upper === lower || (known.size === 0 && stack.size >= mostNames) || known.size >= 256) return
  stack.set(upper, known.add(lower))
}

/** The chains from a name down to the lowest names. Each name is visited once, so circles end. */
export function chainsFrom(stack: Stack, name: string): string[][] {
  const ends: string[][] = []
  const met = new Set([name])
  const open: string[][] = [[name]]
  for (let chain = open.pop(); chain !== undefined; chain = open.pop()) {
    const below = [...(stack.get(chain.at(-1) ?? '') ?? [])].filter((one) => !met.has(one))
    if (below.length === 0) ends.push(chain)
    for (const one of below) {
      met.add(one)
      open.push([...chain, one])
    }
  }
  return ends
}

export type Follow = {
  readonly stack: Stack
  /** The function of a name at the end of a chain. */
  readonly functionOf: (name: string) => PciAddress | undefined
  /** Whether a thing with this name could be attached to the device. */
  readonly couldBe: (name: string, device: DeviceDraft) => boolean
}

export function statePasted(
  draft: HostDraft,
  need: PastedNeed,
  { stack, functionOf, couldBe }: Follow,
): void {
  const { name, mayBeVirtual = false, ...start } = need
  for (const chain of chainsFrom(stack, name)) {
    const end = chain.at(-1) ?? name
    const device = functionOf(end)
    if (device !== undefined) stateNeed(draft, { ...start, chain, device })
    else if (!mayBeVirtual) {
      const carriers = [...draft.devices.values()].filter((one) => !isFree(one) && couldBe(end, one))
      stateLost(draft, {
        kind: start.kind,
        what: start.what,
        chain,
        lost: end,
        why: 'the input does not say which function it is',
        couldBe: carriers.map(({ address }) => address).sort(),
      })
    }
  }
}

function stateLost(draft: HostDraft, need: LostNeed): void {
  const isKnown = draft.lostNeeds.some((one) => one.what === need.what && one.lost === need.lost)
  if (!isKnown && need.couldBe.length > 0 && draft.lostNeeds.length < 256) draft.lostNeeds.push(need)
}

/** The host sees no disk and no interface of this function. */
function isFree({ driver }: DeviceDraft): boolean {
  return (
    driver === null || driver?.startsWith('vfio') === true || driver === 'pci-stub' || driver === 'pciback'
  )
}
