/**
 * The three ends of a trail. Whoever follows a need of the host gives back ends, and `needsOf` makes needs of
 * them: a trail that ends nowhere is never dropped.
 */
import { defined } from '../../base/defined.ts'
import type { PciAddress } from '../../pci/address.ts'
import type { HostNeed, LostNeed } from '../host.ts'

export type End =
  | {
      readonly to: 'function'
      readonly chain: readonly string[]
      readonly device: PciAddress
      readonly redundant?: NonNullable<HostNeed['redundant']>
    }
  /** Known to be no function of this host: memory, a server behind a port that is followed itself. */
  | { readonly to: 'elsewhere'; readonly chain: readonly string[]; readonly why: string }
  /**
   * `lost` is the name at which the trail ends, `why` a clause such as `nothing says which port it runs
   * over`.
   */
  | {
      readonly to: 'lost'
      readonly chain: readonly string[]
      readonly lost: string
      readonly why: string
      /** The trail goes on in another network namespace. */
      readonly isForeign?: true
      /** Where it is known better than by the kind of the need at which functions the trail could end. */
      readonly couldBe?: readonly PciAddress[]
    }

export type NeedsRead = { readonly needs: readonly HostNeed[]; readonly lost: readonly LostNeed[] }

/** A need before it is followed. */
export type NeedStart = Pick<
  HostNeed,
  'kind' | 'what' | 'weight' | 'mountPoint' | 'isDefaultRoute' | 'subject' | 'vm'
>

/**
 * `couldBe`: the functions at which a lost trail of this kind could end (could-be.ts). No end at all is a
 * lost one.
 */
export function needsOf(
  start: NeedStart,
  ends: readonly End[],
  couldBe: () => readonly PciAddress[],
): NeedsRead {
  const needs: HostNeed[] = []
  const lost: LostNeed[] = []
  const found: readonly End[] =
    ends.length > 0 ? ends : [{ to: 'lost', chain: [], lost: start.what, why: 'nothing says where it leads' }]
  for (const end of found) {
    if (end.to === 'function') {
      const { chain, device, redundant } = end
      needs.push({ ...start, chain, device, ...defined({ redundant }) })
    } else if (end.to === 'lost') {
      const { kind, what } = start
      lost.push({
        kind,
        what,
        chain: end.chain,
        lost: end.lost,
        why: end.why,
        couldBe: end.couldBe ?? couldBe(),
      })
    }
  }
  return { needs, lost }
}

export function joinNeeds(parts: readonly NeedsRead[]): NeedsRead {
  return { needs: parts.flatMap(({ needs }) => needs), lost: parts.flatMap(({ lost }) => lost) }
}
