/**
 * Where a need that a paste states ends: at the functions its interfaces or disks hang on, or nowhere that
 * the text tells. Pasted output of `ip`, `lsblk` and the like names interfaces and disks, and only some lines
 * tie those to functions.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { HostNeed, LostNeed } from '../../host/host.ts'
import { stateNeed, type DeviceDraft, type HostDraft } from './draft.ts'

/** Names, each with those it stands on: a bridge on its ports, a volume on its partition. */
export type Stack = Map<string, Set<string>>

export type PastedNeed = Pick<
  HostNeed,
  'kind' | 'what' | 'weight' | 'isDefaultRoute' | 'mountPoint' | 'subject'
> & {
  readonly name: string
  /** Of a name that may be no hardware at all (the bridge of containers): no end of it is lost. */
  readonly mayBeVirtual?: boolean
}

/** More than any machine has. */
const mostNames = 4096

export function standsOn(stack: Stack, upper: string, lower: string): void {
  const known = stack.get(upper) ?? new Set<string>()
  if (upper === lower || (known.size === 0 && stack.size >= mostNames) || known.size >= 256) return
  stack.set(upper, known.add(lower))
}

/** Chains from a name down to what stands on nothing more. Each name is met once, so rings end. */
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
  /** The function a name at the end of a chain hangs on. */
  readonly functionOf: (name: string) => PciAddress | undefined
  /** Could a name of this look hang on the device? */
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

/** The host sees no disk and no interface of it. */
function isFree({ driver }: DeviceDraft): boolean {
  return (
    driver === null || driver?.startsWith('vfio') === true || driver === 'pci-stub' || driver === 'pciback'
  )
}
